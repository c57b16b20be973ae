"""How the coupons of a template live: states, budget, audience, trigger, passing on, refunds. Pure.

Source: docs/rules/coupons.md, rules 15 to 27.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from kernel.units import AMOUNT_MAX
from merchants.coupons.audiences import Audience, AudienceKind, audience_problems
from merchants.ladders.segments import Segment
from merchants.offers import CouponKind, CouponTerms

SHARE_DAYS = 7
SHARE_DAYS_MAX = 90


class CouponTemplateState(StrEnum):
    """State of a coupon template."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ENDED = "ENDED"


class CouponTrigger(StrEnum):
    """What makes a template give its coupons by itself."""

    CATEGORY = "CATEGORY"
    TIER_REACHED = "TIER_REACHED"
    BIRTHDAY = "BIRTHDAY"
    WAKE_UP = "WAKE_UP"
    WIN_BACK = "WIN_BACK"
    HOLIDAY = "HOLIDAY"


class PartialRefundRule(StrEnum):
    """What a refund of a part of the order does to the coupon."""

    KEEP = "KEEP"
    RECHECK_MIN_SPEND = "RECHECK_MIN_SPEND"


SWEPT = (CouponTrigger.WAKE_UP, CouponTrigger.WIN_BACK, CouponTrigger.HOLIDAY)
"""Triggers of a time; a sweep finds whose time has come."""

_FOLLOWING = {
    CouponTemplateState.DRAFT: {CouponTemplateState.ACTIVE, CouponTemplateState.ENDED},
    CouponTemplateState.ACTIVE: {CouponTemplateState.PAUSED, CouponTemplateState.ENDED},
    CouponTemplateState.PAUSED: {CouponTemplateState.ACTIVE, CouponTemplateState.ENDED},
    CouponTemplateState.ENDED: set[CouponTemplateState](),
}
_AUDIENCE_OF_TRIGGER = {
    CouponTrigger.TIER_REACHED: AudienceKind.TIER,
    CouponTrigger.WAKE_UP: AudienceKind.DORMANT,
    CouponTrigger.WIN_BACK: AudienceKind.DORMANT,
}


@dataclass(frozen=True, slots=True)
class TemplateLife:
    """How the coupons of a template live; None where there is no limit.

    Attributes:
        is_draft: nothing is issued until it is made ACTIVE.
        budget_minor: what all its redemptions together may take off.
        audience: None for every member.
        trigger_on: the day of a HOLIDAY, in the alliance's time zone.
        share_days: how long a share code can be claimed.
        share_new_members_only: whether only someone who joins by claiming may claim.
    """

    is_draft: bool = False
    budget_minor: int | None = None
    audience: Audience | None = None
    trigger: CouponTrigger | None = None
    trigger_on: date | None = None
    share_days: int = SHARE_DAYS
    share_new_members_only: bool = False
    on_partial_refund: PartialRefundRule = PartialRefundRule.KEEP


def may_follow(before: CouponTemplateState, after: CouponTemplateState) -> bool:
    """Whether a template may go from one state to the other.

    Source: docs/rules/coupons.md, rule 15.
    """
    return after in _FOLLOWING[before]


def face_minor(terms: CouponTerms) -> int | None:
    """The most that the coupon takes off; None without a bound."""
    faces = [face for face in (terms.amount_minor, terms.cap_minor) if face is not None]
    return min(faces, default=None)


def life_problems(
    life: TemplateLife, terms: CouponTerms, *, shareable: bool, for_new_members: bool
) -> list[list[str]]:
    """Every fault of how the coupons shall live, as (path, sentence)."""
    problems = _budget_problems(life, terms)
    if life.audience is not None:
        problems += audience_problems(life.audience)
        if for_new_members:
            problems.append(["audience", "must be left out for a coupon that joining gives"])
    problems += _trigger_problems(life, terms)
    if for_new_members and life.trigger is not None:
        problems.append(["trigger", "must be left out for a coupon that joining gives"])
    if not 1 <= life.share_days <= SHARE_DAYS_MAX:
        problems.append(["shareDays", f"must be 1 to {SHARE_DAYS_MAX}"])
    if life.share_new_members_only and not shareable:
        problems.append(["shareNewMembersOnly", "must be left out except for a shareable template"])
    is_recheck = life.on_partial_refund is PartialRefundRule.RECHECK_MIN_SPEND
    if is_recheck and terms.min_spend_minor == 0:
        problems.append(
            ["onPartialRefund", "must not be RECHECK_MIN_SPEND unless minSpend is above 0"]
        )
    return problems


def _budget_problems(life: TemplateLife, terms: CouponTerms) -> list[list[str]]:
    if life.budget_minor is None:
        return []
    if not 1 <= life.budget_minor <= AMOUNT_MAX:
        return [["budget", "must be above 0, or left out"]]
    if terms.kind not in (CouponKind.AMOUNT_OFF, CouponKind.PERCENT_OFF):
        return [["budget", "must be left out except for AMOUNT_OFF and PERCENT_OFF"]]
    face = face_minor(terms)
    if face is None:
        return [["budget", "must come with a cap, so that it is known what a coupon may cost"]]
    if life.budget_minor < face:
        return [["budget", "must be at least what one coupon takes off"]]
    return []


def _trigger_problems(life: TemplateLife, terms: CouponTerms) -> list[list[str]]:
    problems = []
    if (life.trigger is CouponTrigger.HOLIDAY) != (life.trigger_on is not None):
        problems.append(["triggerOn", "must be given for HOLIDAY, and for nothing else"])
    if life.trigger is CouponTrigger.CATEGORY and terms.category_ids is None:
        problems.append(["categoryIds", "must be given for the trigger CATEGORY"])
    needed = None if life.trigger is None else _AUDIENCE_OF_TRIGGER.get(life.trigger)
    if needed is not None and (life.audience is None or life.audience.kind is not needed):
        problems.append(["audience", f"must be {needed} for the trigger {life.trigger}"])
    return problems


def life_as_json(life: TemplateLife) -> dict[str, Any]:
    """How the coupons live, as JSON."""
    return {
        "isDraft": life.is_draft,
        "budget": life.budget_minor,
        "audience": None if life.audience is None else asdict(life.audience),
        "trigger": life.trigger,
        "triggerOn": None if life.trigger_on is None else life.trigger_on.isoformat(),
        "shareDays": life.share_days,
        "shareNewMembersOnly": life.share_new_members_only,
        "onPartialRefund": life.on_partial_refund,
    }


def life_from_json(stored: dict[str, Any] | None) -> TemplateLife:
    """What `life_as_json` wrote; the defaults where nothing was kept."""
    if stored is None:
        return TemplateLife()
    trigger, on, audience = stored["trigger"], stored["triggerOn"], stored["audience"]
    return TemplateLife(
        is_draft=stored["isDraft"],
        budget_minor=stored["budget"],
        audience=None if audience is None else _audience(audience),
        trigger=None if trigger is None else CouponTrigger(trigger),
        trigger_on=None if on is None else date.fromisoformat(on),
        share_days=stored["shareDays"],
        share_new_members_only=stored["shareNewMembersOnly"],
        on_partial_refund=PartialRefundRule(stored["onPartialRefund"]),
    )


def _audience(stored: dict[str, Any]) -> Audience:
    """The audience; what it once said of segments by itself is the merchant's to say."""
    segment = stored["segment"]
    return Audience(
        kind=AudienceKind(stored["kind"]),
        days=None if segment is not None else stored["days"],
        ladder=stored["ladder"],
        min_rank=stored["min_rank"],
        segment=None if segment is None else Segment(segment),
        at_redemption=stored["at_redemption"],
    )
