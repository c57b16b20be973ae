"""What a coupon template may promise, and how long its coupons last. Pure.

Source: docs/rules/coupons.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.text import is_label, is_title
from kernel.units import WHOLE_BP
from merchants.coupons.faces import face_problems
from merchants.coupons.template_life import CouponTemplateState as CouponTemplateState
from merchants.coupons.template_life import TemplateLife, life_problems
from merchants.offers import CouponTerms

TITLE_MAX = 100
SKUS_MAX = 2_000
CATEGORIES_MAX = 200
TEXT_MAX = 200
QUOTA_MAX = 2**31 - 1
VALID_DAYS_MAX = 3_650
ISSUE_CARDS_MAX = 100
THRESHOLD_IN_MEDIAN_BASKETS_MAX = 3


class CouponState(StrEnum):
    """State of a coupon."""

    ISSUED = "ISSUED"
    LOCKED = "LOCKED"
    REDEEMED = "REDEEMED"
    TRANSFERRED = "TRANSFERRED"
    EXPIRED = "EXPIRED"
    VOID = "VOID"


class Funder(StrEnum):
    """Who bears a coupon's cost."""

    MERCHANT = "MERCHANT"
    ALLIANCE = "ALLIANCE"
    SPLIT = "SPLIT"


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A coupon template as somebody wants it; None where there is no limit.

    Attributes:
        valid_from: first instant, inclusive; None: at issue.
        valid_until: last instant, exclusive.
        valid_days: days after issue, when that is earlier than `valid_until`.
        funder_alliance_bps: the alliance's share; only when the funder is SPLIT.
    """

    terms: CouponTerms
    funder: Funder = Funder.MERCHANT
    funder_alliance_bps: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    valid_days: int | None = None
    quota_total: int | None = None
    quota_per_member: int = 1
    shareable: bool = False
    for_new_members: bool = False
    life: TemplateLife = field(default_factory=TemplateLife)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open: `start` is in, `end` is not; None never ends."""

    start: datetime
    end: datetime | None


def validity(draft: TemplateDraft, issued_at: datetime) -> Span:
    """When a coupon issued now can be used.

    Source: docs/rules/coupons.md, rule 3.
    """
    start = issued_at
    if draft.valid_from is not None and draft.valid_from > issued_at:
        start = draft.valid_from
    ends = [draft.valid_until] if draft.valid_until is not None else []
    if draft.valid_days is not None:
        ends.append(issued_at + timedelta(days=draft.valid_days))
    return Span(start, min(ends, default=None))


def alliance_share_bps(draft: TemplateDraft) -> int:
    """The alliance's share of the cost, basis points."""
    if draft.funder is Funder.SPLIT:
        return draft.funder_alliance_bps or 0
    return WHOLE_BP if draft.funder is Funder.ALLIANCE else 0


def template_problems(
    draft: TemplateDraft, *, now: datetime, may_spend_alliance_money: bool
) -> list[list[str]]:
    """Every fault of a template as (path, sentence); empty when there is none.

    Source: docs/rules/coupons.md, rules 1 to 4.
    """
    return [
        *_text_problems(draft.terms),
        *face_problems(draft.terms),
        *_time_problems(draft, now),
        *_quota_problems(draft),
        *_funder_problems(draft, may_spend_alliance_money=may_spend_alliance_money),
        *life_problems(
            draft.life,
            draft.terms,
            shareable=draft.shareable,
            for_new_members=draft.for_new_members,
        ),
    ]


def threshold_warnings(terms: CouponTerms, *, median_basket_minor: int | None) -> list[str]:
    """Doubts about the minimum spend, for people.

    Source: docs/rules/coupons.md, rule 2.
    """
    if median_basket_minor is None or (
        terms.min_spend_minor <= THRESHOLD_IN_MEDIAN_BASKETS_MAX * median_basket_minor
    ):
        return []
    return ["minSpend is above three median baskets; few customers will reach it."]


def _text_problems(terms: CouponTerms) -> list[list[str]]:
    problems = []
    if not is_title(terms.title, longest=TITLE_MAX):
        problems.append(
            ["title", f"must have 1 to {TITLE_MAX} characters and no control character"]
        )
    group = terms.stacking_group
    if group is not None and not is_label(group, longest=TITLE_MAX):
        problems.append(
            ["stackingGroup", f"must have 1 to {TITLE_MAX} characters and no control character"]
        )
    for path, limits, most in (
        ("skus", terms.skus, SKUS_MAX),
        ("categoryIds", terms.category_ids, CATEGORIES_MAX),
    ):
        if limits is None:
            continue
        if not 1 <= len(limits) <= most:
            problems.append([path, f"must name 1 to {most}, or be left out"])
        elif any(not is_label(limit, longest=TEXT_MAX) for limit in limits):
            problems.append(
                [path, f"must each have 1 to {TEXT_MAX} characters and no control character"]
            )
    if terms.channels is not None and not terms.channels:
        problems.append(["channels", "must name at least one, or be left out"])
    return problems


def _time_problems(draft: TemplateDraft, now: datetime) -> list[list[str]]:
    problems = []
    if draft.valid_until is not None:
        if draft.valid_from is not None and draft.valid_until <= draft.valid_from:
            problems.append(["validUntil", "must be after validFrom"])
        elif draft.valid_until <= now:
            problems.append(["validUntil", "must be in the future"])
    if draft.valid_days is not None and not 1 <= draft.valid_days <= VALID_DAYS_MAX:
        problems.append(["validDays", f"must be 1 to {VALID_DAYS_MAX}"])
    return problems


def _quota_problems(draft: TemplateDraft) -> list[list[str]]:
    problems = []
    if draft.quota_total is not None and not 1 <= draft.quota_total <= QUOTA_MAX:
        problems.append(["quotaTotal", f"must be 1 to {QUOTA_MAX}, or left out"])
    if not 1 <= draft.quota_per_member <= QUOTA_MAX:
        problems.append(["quotaPerMember", f"must be 1 to {QUOTA_MAX}"])
    return problems


def _funder_problems(draft: TemplateDraft, *, may_spend_alliance_money: bool) -> list[list[str]]:
    problems = []
    is_split = draft.funder is Funder.SPLIT
    if draft.funder is not Funder.MERCHANT and not may_spend_alliance_money:
        problems.append(["funder", "must be MERCHANT: only an admin promises the alliance's money"])
    if is_split and not 1 <= (draft.funder_alliance_bps or 0) < WHOLE_BP:
        problems.append(["funderAllianceBps", f"must be 1 to {WHOLE_BP - 1} for SPLIT"])
    if not is_split and draft.funder_alliance_bps is not None:
        problems.append(["funderAllianceBps", "must be left out except for SPLIT"])
    return problems
