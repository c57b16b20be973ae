"""Every fault of a promotion as somebody wants it, as (path, sentence). Pure.

Source: docs/rules/pricing.md, rules 10 to 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.units import AMOUNT_MAX, WHOLE_BP
from merchants.promotions.terms import ORDER_KINDS, PromotionKind, PromotionTerms

TITLE_MAX = 100
SCOPE_MAX = 200
BUNDLE_MAX = 20
TEXT_MAX = 200
STOCK_MAX = 2**31 - 1
DAYS_MAX = 3_660
EARLY_MINUTES_MAX = 30 * 24 * 60
RANK_MAX = 2**31 - 1
LIVE_MAX = 200
"""Promotions of one merchant that are not over; a price looks at each."""

Problems = list[list[str]]
_K = PromotionKind
_FIELDS_OF: dict[str, frozenset[PromotionKind]] = {
    "threshold": ORDER_KINDS,
    "off": frozenset({_K.THRESHOLD_OFF}),
    "percentOffBps": frozenset({_K.THRESHOLD_PERCENT, _K.LIMITED_PRICE, _K.MEMBER_PRICE}),
    "price": frozenset({_K.LIMITED_PRICE, _K.MEMBER_PRICE, _K.FLASH_SALE, _K.BUNDLE}),
    "stock": frozenset({_K.FLASH_SALE}),
    "stacksWithMemberPrice": frozenset({_K.LIMITED_PRICE, _K.FLASH_SALE, _K.BUNDLE}),
}
_NEEDED: dict[str, frozenset[PromotionKind]] = {
    "threshold": ORDER_KINDS,
    "off": frozenset({_K.THRESHOLD_OFF}),
    "percentOffBps": frozenset({_K.THRESHOLD_PERCENT}),
    "price": frozenset({_K.FLASH_SALE, _K.BUNDLE}),
    "stock": frozenset({_K.FLASH_SALE}),
}


def promotion_problems(terms: PromotionTerms, *, now: datetime, taken: int = 0) -> Problems:
    """Every fault, in input order; empty when there is none.

    Args:
        taken: units of its stock that are held or sold already.
    """
    return [
        *_title_problems(terms),
        *_time_problems(terms, now),
        *_face_problems(terms),
        *_scope_problems(terms),
        *_stock_problems(terms, taken),
        *_early_problems(terms),
        *_day_problems(terms),
    ]


def _title_problems(terms: PromotionTerms) -> Problems:
    if not terms.title.strip() or len(terms.title) > TITLE_MAX:
        return [["title", f"must have 1 to {TITLE_MAX} characters"]]
    return []


def _time_problems(terms: PromotionTerms, now: datetime) -> Problems:
    if terms.ends_at <= terms.starts_at:
        return [["endsAt", "must be after startsAt"]]
    if terms.ends_at <= now:
        return [["endsAt", "must be in the future"]]
    if terms.ends_at - terms.starts_at > timedelta(days=DAYS_MAX):
        return [["endsAt", f"must be at most {DAYS_MAX} days after startsAt"]]
    return []


def _face_problems(terms: PromotionTerms) -> Problems:
    values: dict[str, int | None] = {
        "threshold": terms.threshold_minor,
        "off": terms.off_minor,
        "percentOffBps": terms.percent_off_bps,
        "price": terms.price_minor,
        "stock": terms.stock,
        "stacksWithMemberPrice": 1 if terms.stacks else None,
    }
    problems: Problems = []
    for field, value in values.items():
        if value is None:
            if terms.kind in _NEEDED.get(field, ()):
                problems.append([field, f"must be given for {terms.kind}"])
        elif terms.kind not in _FIELDS_OF[field]:
            kinds = ", ".join(sorted(_FIELDS_OF[field]))
            problems.append([field, f"must be left out except for {kinds}"])
    problems.extend(_range_problems(terms))
    is_unit_price = terms.kind in (_K.LIMITED_PRICE, _K.MEMBER_PRICE)
    if is_unit_price and (terms.price_minor is None) == (terms.percent_off_bps is None):
        problems.append(["price", "or percentOffBps must be given: exactly one of the two"])
    return problems


def _range_problems(terms: PromotionTerms) -> Problems:
    problems: Problems = []
    for field, value, least in (
        ("threshold", terms.threshold_minor, 1),
        ("off", terms.off_minor, 1),
        ("price", terms.price_minor, 0),
    ):
        if value is not None and not least <= value <= AMOUNT_MAX:
            problems.append([field, f"must be {least} or more"])
    if terms.percent_off_bps is not None and not 1 <= terms.percent_off_bps <= WHOLE_BP:
        problems.append(["percentOffBps", f"must be 1 to {WHOLE_BP}"])
    off, threshold = terms.off_minor, terms.threshold_minor
    if off is not None and threshold is not None and off > threshold:
        problems.append(["off", "must be at most the threshold"])
    return problems


def _scope_problems(terms: PromotionTerms) -> Problems:
    problems: Problems = []
    is_bundle = terms.kind is _K.BUNDLE
    most = BUNDLE_MAX if is_bundle else SCOPE_MAX
    for path, limits in (("skus", terms.skus), ("categoryIds", terms.category_ids)):
        problems.extend(_list_problems(path, limits, most=most))
    if is_bundle and (terms.skus is None or len(terms.skus) < 2):
        problems.append(["skus", f"must name what the bundle holds: 2 to {BUNDLE_MAX} articles"])
    if is_bundle and terms.category_ids is not None:
        problems.append(["categoryIds", "must be left out for BUNDLE"])
    if terms.kind is _K.FLASH_SALE and terms.skus is None:
        problems.append(["skus", "must be given for FLASH_SALE"])
    if terms.price_minor is not None and terms.skus is None and not is_bundle:
        problems.append(["skus", "must be given with a price"])
    return problems


def _list_problems(path: str, limits: Sequence[str] | None, *, most: int) -> Problems:
    if limits is None:
        return []
    if not 1 <= len(limits) <= most:
        return [[path, f"must name 1 to {most}, or be left out"]]
    if any(not 1 <= len(limit) <= TEXT_MAX for limit in limits):
        return [[path, f"must each have 1 to {TEXT_MAX} characters"]]
    return []


def _stock_problems(terms: PromotionTerms, taken: int) -> Problems:
    if terms.stock is None:
        return []
    if not 1 <= terms.stock <= STOCK_MAX:
        return [["stock", f"must be 1 to {STOCK_MAX}"]]
    if terms.stock < taken:
        return [["stock", f"must be at least {taken}: so many are held or sold"]]
    return []


def _early_problems(terms: PromotionTerms) -> Problems:
    rank, minutes = terms.early_access_rank, terms.early_access_minutes
    problems: Problems = []
    if (rank is None) != (minutes is None):
        problems.append(["earlyAccessRank", "must be given with earlyAccessMinutes, and only then"])
    if rank is not None and not 1 <= rank <= RANK_MAX:
        problems.append(["earlyAccessRank", f"must be 1 to {RANK_MAX}"])
    if minutes is not None and not 1 <= minutes <= EARLY_MINUTES_MAX:
        problems.append(["earlyAccessMinutes", f"must be 1 to {EARLY_MINUTES_MAX}"])
    return problems


def _day_problems(terms: PromotionTerms) -> Problems:
    problems: Problems = []
    for path, days, last in (("weekdays", terms.weekdays, 7), ("monthDays", terms.month_days, 31)):
        if days is None:
            continue
        if not days or len(set(days)) < len(days) or not all(1 <= day <= last for day in days):
            problems.append(
                [path, f"must name days from 1 to {last}, each once, at least one, or be left out"]
            )
    return problems
