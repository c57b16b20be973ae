"""Every fault of what a coupon takes off or gives, by its kind, as (path, sentence). Pure.

Source: docs/rules/coupons.md, rules 1, 2 and 29 to 31.
"""

from __future__ import annotations

from kernel.units import AMOUNT_MAX, WHOLE_BP
from merchants.offers import CouponKind, CouponTerms, GiftZone
from merchants.pricing.coupon_kinds import ZONE_KINDS

NO_THRESHOLD_FACE_MAX_MINOR = 20_00
PICK_MAX = 20
ZONE_MAX = 200
TEXT_MAX = 200

_HAVE_AMOUNT = frozenset({CouponKind.AMOUNT_OFF, CouponKind.SHIPPING})


def face_problems(terms: CouponTerms) -> list[list[str]]:
    """Every fault of the face, in input order; empty when there is none."""
    problems = [*_amount_problems(terms), *_zone_problems(terms)]
    if terms.cap_minor is not None and not 1 <= terms.cap_minor <= AMOUNT_MAX:
        problems.append(["cap", "must be above 0, or left out"])
    if not 0 <= terms.min_spend_minor <= AMOUNT_MAX:
        problems.append(["minSpend", "must be 0 or more"])
    elif terms.min_spend_minor == 0:
        face = face_max_minor(terms)
        if face is None or face > NO_THRESHOLD_FACE_MAX_MINOR:
            problems.append(
                [
                    "minSpend",
                    "must be above 0 when the coupon takes off more than 20.00 (or has no cap)",
                ]
            )
    return problems


def face_max_minor(terms: CouponTerms) -> int | None:
    """The most that the coupon can take off; None when nothing limits it."""
    zone = terms.zone
    given = None
    if zone is not None and zone.value_minor is not None:
        given = zone.pick * (zone.value_minor - zone.add_on_minor)
    faces = [face for face in (terms.amount_minor, terms.cap_minor, given) if face is not None]
    return min(faces, default=None)


def _amount_problems(terms: CouponTerms) -> list[list[str]]:
    problems = []
    amount, percent = terms.amount_minor, terms.percent_off_bps
    if amount is None and terms.kind is CouponKind.AMOUNT_OFF:
        problems.append(["amount", "must be given, above 0"])
    if amount is not None and terms.kind not in _HAVE_AMOUNT:
        problems.append(["amount", "must be left out except for AMOUNT_OFF and SHIPPING"])
    elif amount is not None and not 1 <= amount <= AMOUNT_MAX:
        problems.append(["amount", "must be above 0"])
    is_percent = terms.kind is CouponKind.PERCENT_OFF
    if is_percent and not 1 <= (percent or 0) <= WHOLE_BP:
        problems.append(["percentOffBps", f"must be given, 1 to {WHOLE_BP}"])
    if not is_percent and percent is not None:
        problems.append(["percentOffBps", "must be left out except for PERCENT_OFF"])
    return problems


def _zone_problems(terms: CouponTerms) -> list[list[str]]:
    zone = terms.zone
    if zone is None:
        needs = terms.kind in ZONE_KINDS
        return [["giftZone", f"must be given for {terms.kind}"]] if needs else []
    if terms.kind not in ZONE_KINDS:
        return [["giftZone", "must be left out except for GIFT and EXCHANGE"]]
    problems = []
    if zone.skus is None and zone.category_ids is None:
        problems.append(["giftZone.skus", "must be given, or categoryIds, or both"])
    for path, limits in (("skus", zone.skus), ("categoryIds", zone.category_ids)):
        if limits is not None and not (
            1 <= len(limits) <= ZONE_MAX and all(1 <= len(each) <= TEXT_MAX for each in limits)
        ):
            problems.append(
                [
                    f"giftZone.{path}",
                    f"must name 1 to {ZONE_MAX} of 1 to {TEXT_MAX} characters, or be left out",
                ]
            )
    return [*problems, *_price_problems(terms.kind, zone)]


def _price_problems(kind: CouponKind, zone: GiftZone) -> list[list[str]]:
    problems = []
    if not 1 <= zone.pick <= PICK_MAX:
        problems.append(["giftZone.pick", f"must be 1 to {PICK_MAX}"])
    value = zone.value_minor
    if value is not None and not 1 <= value <= AMOUNT_MAX:
        problems.append(["giftZone.maxUnitPrice", "must be above 0, or left out"])
    if kind is CouponKind.GIFT and zone.add_on_minor:
        problems.append(["giftZone.addOnPrice", "must be left out except for EXCHANGE"])
    elif not 0 <= zone.add_on_minor <= AMOUNT_MAX:
        problems.append(["giftZone.addOnPrice", "must be 0 or more"])
    elif value is not None and zone.add_on_minor >= value:
        problems.append(["giftZone.addOnPrice", "must be below maxUnitPrice"])
    return problems
