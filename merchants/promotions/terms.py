"""What a promotion is, whom it covers and when. Money in minor units. Pure.

Source: docs/rules/pricing.md, rules 10 to 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from merchants.offers import CartLine


class PromotionKind(StrEnum):
    """What a promotion does."""

    LIMITED_PRICE = "LIMITED_PRICE"
    THRESHOLD_OFF = "THRESHOLD_OFF"
    THRESHOLD_PERCENT = "THRESHOLD_PERCENT"
    FLASH_SALE = "FLASH_SALE"
    BUNDLE = "BUNDLE"
    MEMBER_PRICE = "MEMBER_PRICE"


ORDER_KINDS = frozenset({PromotionKind.THRESHOLD_OFF, PromotionKind.THRESHOLD_PERCENT})
"""Kinds that look at a whole order; the others price goods."""


@dataclass(frozen=True, slots=True)
class PromotionTerms:
    """What a promotion promises; None where there is no limit or the kind has no such thing.

    Attributes:
        starts_at: first instant; `ends_at` is the first one after it.
        threshold_minor, off_minor: spending that it needs, and what it takes off then.
        price_minor: of a unit, or of one whole bundle.
        skus: articles it is limited to; of a BUNDLE what one bundle holds, an article as often
            as it is in it.
        stock: units in all, of a FLASH_SALE.
        early_access_rank, early_access_minutes: who may buy earlier, and how much.
        stacks: a member's percentage is taken off its price too.
        weekdays: 1 (Monday) to 7 on which it holds; `month_days`: 1 to 31.
    """

    title: str
    kind: PromotionKind
    starts_at: datetime
    ends_at: datetime
    threshold_minor: int | None = None
    off_minor: int | None = None
    percent_off_bps: int | None = None
    price_minor: int | None = None
    skus: tuple[str, ...] | None = None
    category_ids: tuple[str, ...] | None = None
    stock: int | None = None
    early_access_rank: int | None = None
    early_access_minutes: int | None = None
    members_only: bool = False
    stacks: bool = False
    weekdays: tuple[int, ...] | None = None
    month_days: tuple[int, ...] | None = None

    @property
    def is_for_members(self) -> bool:
        """Whether a stranger never has it."""
        return self.members_only or self.kind is PromotionKind.MEMBER_PRICE

    @property
    def opens_at(self) -> datetime:
        """The first instant at which anybody may have it."""
        return self.starts_at - timedelta(minutes=self.early_access_minutes or 0)


@dataclass(frozen=True, slots=True)
class Promotion:
    """One version of a promotion.

    Attributes:
        stock_left: units that nobody holds or bought; None without a stock.
    """

    promotion_id: str
    version: int
    terms: PromotionTerms
    stock_left: int | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, as far as promotions ask; `rank` is 0 for none.

    Attributes:
        early_minutes: how much earlier flash sales open for the buyer, by a benefit.
    """

    is_member: bool
    rank: int = 0
    early_minutes: int = 0

    @property
    def without_early_access(self) -> Buyer:
        """The same without that benefit."""
        return Buyer(self.is_member, self.rank)


def covers(terms: PromotionTerms, line: CartLine) -> bool:
    """Whether the promotion is for this line's article and category."""
    return (terms.skus is None or line.sku in terms.skus) and (
        terms.category_ids is None or line.category_id in terms.category_ids
    )


def is_on(terms: PromotionTerms, at: datetime, zone: ZoneInfo, *, early_minutes: int = 0) -> bool:
    """Whether the promotion is to be considered at all, for a buyer of whatever rank.

    Args:
        early_minutes: how much earlier flash sales open for the buyer, by a benefit.

    Source: docs/rules/pricing.md, rules 10, 14 and 15.
    """
    if not min(terms.opens_at, _opens_early(terms, early_minutes)) <= at < terms.ends_at:
        return False
    # Before its first instant it holds for early buyers, as the first of its days begins early.
    day = max(at, terms.starts_at).astimezone(zone)
    return (terms.weekdays is None or day.isoweekday() in terms.weekdays) and (
        terms.month_days is None or day.day in terms.month_days
    )


def why_closed(terms: PromotionTerms, buyer: Buyer, at: datetime) -> str | None:
    """Why this buyer may not have a promotion that is on: a reason code; None when it may.

    Source: docs/rules/pricing.md, rules 11 and 14.
    """
    if terms.is_for_members and not buyer.is_member:
        return "MEMBERS_ONLY"
    if at >= terms.starts_at:
        return None
    if not buyer.is_member:
        return "NOT_YET_OPEN"
    rank = terms.early_access_rank
    may = rank is not None and buyer.rank >= rank and at >= terms.opens_at
    return None if may or at >= _opens_early(terms, buyer.early_minutes) else "NOT_YET_OPEN"


def _opens_early(terms: PromotionTerms, minutes: int) -> datetime:
    """When it opens for who has flash sales so much earlier."""
    if terms.kind is not PromotionKind.FLASH_SALE:
        return terms.starts_at
    return terms.starts_at - timedelta(minutes=minutes)
