"""Whom a coupon template is for: newcomers, the dormant, a tier, a segment. Pure.

Source: docs/rules/coupons.md, rules 17 and 18, and docs/rules/segments.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kernel.text import is_title
from merchants.ladders.segments import Segment

DAY_MICROS = 86_400_000_000
DAYS_MAX = 3_650
RANK_MAX = 1_000
NAME_MAX = 100


class AudienceKind(StrEnum):
    """How an audience is told apart."""

    NEW = "NEW"
    DORMANT = "DORMANT"
    TIER = "TIER"
    SEGMENT = "SEGMENT"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a template is for.

    Attributes:
        days: days without an order; DORMANT alone.
        ladder, min_rank: TIER alone.
        segment: SEGMENT alone; the merchant says where its segments part.
        at_redemption: whether the holder must belong to it when the coupon is used, too.
    """

    kind: AudienceKind
    days: int | None = None
    ladder: str | None = None
    min_rank: int | None = None
    segment: Segment | None = None
    at_redemption: bool = False


@dataclass(frozen=True, slots=True)
class Buying:
    """What a member bought at a merchant; orders refunded in full do not count.

    Attributes:
        joined_at: microseconds; None when the card never joined.
        orders: in all.
        last_order_at: microseconds; None without an order.
        segment: which one the member is in; None when the card never joined.
        ranks: by ladder; a ladder below whose first step the member stands is 0 or absent.
    """

    joined_at: int | None = None
    orders: int = 0
    last_order_at: int | None = None
    segment: Segment | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)


def belongs(audience: Audience, buying: Buying, *, now: int) -> bool:
    """Whether the member is in the audience at `now` (microseconds).

    Source: docs/rules/coupons.md, rule 17.
    """
    if buying.joined_at is None:
        return False
    if audience.kind is AudienceKind.NEW:
        return buying.orders == 0
    if audience.kind is AudienceKind.DORMANT:
        last = buying.last_order_at
        return last is not None and now - last >= (audience.days or 0) * DAY_MICROS
    if audience.kind is AudienceKind.TIER:
        return buying.ranks.get(audience.ladder or "", 0) >= (audience.min_rank or 1)
    return buying.segment is audience.segment


def audience_problems(audience: Audience) -> list[list[str]]:
    """Every fault of an audience as (path, sentence)."""
    problems = []
    is_dormant = audience.kind is AudienceKind.DORMANT
    if is_dormant and audience.days is None:
        problems.append(["audience.days", "must be given for DORMANT"])
    elif audience.days is not None and not is_dormant:
        problems.append(["audience.days", "must be left out except for DORMANT"])
    elif audience.days is not None and not 1 <= audience.days <= DAYS_MAX:
        problems.append(["audience.days", f"must be 1 to {DAYS_MAX}"])
    problems += _tier_problems(audience)
    if (audience.kind is AudienceKind.SEGMENT) != (audience.segment is not None):
        problems.append(["audience.segment", "must be given for SEGMENT, and for nothing else"])
    return problems


def _tier_problems(audience: Audience) -> list[list[str]]:
    if audience.kind is not AudienceKind.TIER:
        return [
            [f"audience.{name}", "must be left out except for TIER"]
            for name, value in (("ladder", audience.ladder), ("minRank", audience.min_rank))
            if value is not None
        ]
    problems = []
    if audience.ladder is None or not is_title(audience.ladder, longest=NAME_MAX):
        problems.append(["audience.ladder", "must name a ladder for TIER"])
    if audience.min_rank is None or not 1 <= audience.min_rank <= RANK_MAX:
        problems.append(["audience.minRank", f"must be 1 to {RANK_MAX} for TIER"])
    return problems
