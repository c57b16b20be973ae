"""What the benchmark asks of a ledger: the same requests for the same numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from ledger.contract import CaptureOrder

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Workload:
    """Orders to measure, on a ledger that has booked others before."""

    before: tuple[CaptureOrder, ...]
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
    before = orders(5_000, merchants=merchants)
    return Workload(tuple(before), tuple(orders(count, merchants=merchants, first=len(before))))


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
    return Workload(tuple(before), tuple(measured))


def history(entries: int) -> Iterator[CaptureOrder]:
    """Orders that make about as many entries: some eight each."""
    yield from orders(entries * 10 // 82, merchants=1_000, cards=20_000)


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
