"""Every merchant's tiers counted from the history's files alone.

Nothing here knows the rules' code: rows, sums and thresholds, to hold the replayed tiers against.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

COUNT_THRESHOLDS = (1, 2, 5, 10)
AMOUNT_THRESHOLDS = (0, 10_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True)
class CountedTiers:
    """What a member comes to at one merchant: figures and ranks in both ladders."""

    orders: int
    count_rank: int
    amount_minor: int
    amount_rank: int


def recount_tiers(
    directory: Path, merchants: Collection[str]
) -> dict[tuple[str, str], CountedTiers]:
    """By (merchant, member) of the history: an order counts unless refunds took all of it."""
    left: dict[str, int] = {}
    place: dict[str, tuple[str, str]] = {}
    for row in _rows(directory, "orders"):
        if row["merchant_id"] in merchants:
            left[row["order_id"]] = int(row["total_minor"])
            place[row["order_id"]] = (row["merchant_id"], row["member_id"])
    taken: set[str] = set()
    refunds = [row for row in _rows(directory, "refunds") if row["matched_order_id"] in left]
    for row in sorted(refunds, key=lambda row: (row["refunded_at"], row["refund_id"])):
        number = row["matched_order_id"]
        had = left[number]
        left[number] = max(0, had - int(row["amount_minor"]))
        if had and not left[number]:
            taken.add(number)
    orders: dict[tuple[str, str], int] = defaultdict(int)
    amounts: dict[tuple[str, str], int] = defaultdict(int)
    for number, key in place.items():
        orders[key] += number not in taken
        amounts[key] += left[number]
    return {
        key: CountedTiers(
            count,
            bisect_right(COUNT_THRESHOLDS, count),
            amounts[key],
            bisect_right(AMOUNT_THRESHOLDS, amounts[key]),
        )
        for key, count in orders.items()
    }


def _rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    with gzip.open(directory / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
