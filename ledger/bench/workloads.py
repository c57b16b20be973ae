"""What the benchmark asks of a ledger: the same requests for the same numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from ledger.contract import CaptureOrder, CouponRedemption

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
_YEAR = timedelta(days=365)
_BEFORE = 5_000


@dataclass(frozen=True, slots=True)
class Workload:
    """Orders to measure.

    Attributes:
        before: booked before, once.
        first: served before each measurement, so that what is measured is no start.
    """

    before: tuple[CaptureOrder, ...]
    first: tuple[CaptureOrder, ...]
    measured: tuple[CaptureOrder, ...]


def orders(count: int, *, merchants: int, cards: int = 5_000, first: int = 0) -> list[CaptureOrder]:
    """Orders of random cards that earn points; of the later ones every second spends some too."""
    dice = Random(count)
    return [
        _order(
            first + number,
            merchant=dice.randrange(merchants),
            card=dice.randrange(cards),
            spent=dice.randrange(1, 50) if number > count // 4 and dice.random() < 0.5 else 0,
            earned=dice.randrange(1, 100),
        )
        for number in range(count)
    ]


def mixed(count: int, *, merchants: int) -> Workload:
    """Orders, behind as many as make most cards have points."""
    before = orders(_BEFORE, merchants=merchants)
    measured = orders(count, merchants=merchants, first=_BEFORE)
    return Workload(tuple(before), _first(_BEFORE + count, count), tuple(measured))


def spends(count: int, *, cards: int, lots: int) -> Workload:
    """Spends of 25 points each, from lots of 10: three lots a spend, and one in two empties.

    Args:
        lots: of each card at the beginning.
    """
    before = [
        _order(number, merchant=number % 100, card=number % cards, spent=0, earned=10)
        for number in range(cards * lots)
    ]
    measured = [
        _order(len(before) + number, merchant=number % 100, card=number % cards, spent=25, earned=0)
        for number in range(count)
    ]
    return Workload(tuple(before), _first(len(before) + count, count), tuple(measured))


def transfers(count: int) -> Workload:
    """The smallest events there are: an order without a card, whose coupon the alliance bears.

    Each makes one transfer of two legs.
    """
    asked = [
        replace(
            _order(number, merchant=number % 100, card=0, spent=0, earned=0),
            card_id=None,
            redemptions=(CouponRedemption(f"cpn_{number:022d}", 1_000, 10_000),),
        )
        for number in range(_BEFORE + count + min(count, 1_000))
    ]
    behind = _BEFORE + count
    return Workload(tuple(asked[:_BEFORE]), tuple(asked[behind:]), tuple(asked[_BEFORE:behind]))


def history(entries: int) -> Iterator[CaptureOrder]:
    """Orders that make as many entries, and a little more: seven and a half each."""
    yield from orders(entries * 2 // 15, merchants=1_000, cards=20_000)


def _first(number: int, count: int) -> tuple[CaptureOrder, ...]:
    """Orders that spend nothing, a thousand at most."""
    some = min(count, 1_000)
    return tuple(
        _order(number + each, merchant=each % 100, card=each, spent=0, earned=10)
        for each in range(some)
    )


def _order(number: int, *, merchant: int, card: int, spent: int, earned: int) -> CaptureOrder:
    at = NOW + timedelta(seconds=number % 86_400)
    return CaptureOrder(
        order_id=f"ord_{number:022d}",
        order_no=f"2026-{number:08d}",
        merchant_id=f"mer_{merchant:022d}",
        card_id=f"card_{card:022d}",
        attempt_id=None,
        points_spent=spent,
        coins_spent_minor=0,
        points_earned=earned,
        at=at,
        active_at=NOW,
        expires_at=at + _YEAR,
    )
