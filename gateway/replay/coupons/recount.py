"""What the redemptions must come to, counted from the history's files alone.

Nothing here knows the rules' code: rows, sums and the rules of docs/rules/coupons.md written down
a second time, to hold the replayed redemptions against.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

APPLIED, NO_ORDER, OUT_OF_SCOPE = "APPLIED", "NO_ORDER", "OUT_OF_SCOPE"
NO_EFFECT, STACKING_GROUP = "NO_EFFECT", "STACKING_GROUP"
DISCOUNTED, NO_DISCOUNT, NO_PRODUCT = "DISCOUNTED", "NO_DISCOUNT", "NO_PRODUCT"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Recount:
    """What every redemption comes to.

    Attributes:
        outcomes: by place in the file.
        standings: by place in the file, what the history itself shows: a discount on a product of
            the coupon, such a product without a discount, no such product, or no order that day.
        taken_minor: what the coupons take off in all.
        recorded_minor: what the history records on the lines of the redemptions' products.
    """

    outcomes: dict[int, str]
    standings: dict[int, str]
    taken_minor: int
    recorded_minor: int


@dataclass(frozen=True, slots=True)
class _Presented:
    row: int
    key: Key
    face: int
    lines: tuple[int, ...]


def recount_redemptions(directory: Path) -> Recount:
    """Every redemption decided from rows and arithmetic."""
    redeemed = [
        ((row["coupon_upc"], row["campaign_id"]), (row["household_id"], row["redemption_date"]))
        for row in rows_of(directory / "coupon_redemptions.csv.gz")
    ]
    scopes: dict[Key, set[str]] = {key: set() for key, _ in redeemed}
    for row in rows_of(directory / "coupons.csv.gz"):
        if (row["coupon_upc"], row["campaign_id"]) in scopes:
            scopes[row["coupon_upc"], row["campaign_id"]].add(row["product_id"])
    baskets, lines = _baskets_of(directory, {day for _, day in redeemed})
    faces, standings, discounted = _history_says(redeemed, scopes, baskets, lines)
    outcomes = {row: NO_ORDER for row, (_, day) in enumerate(redeemed) if not baskets[day]}
    taken = 0
    rows_by_day: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, (_, day) in enumerate(redeemed):
        rows_by_day[day].append(place)
    for day, rows in rows_by_day.items():
        for order in baskets[day]:
            left = [int(line["sales_value_minor"]) for line in lines[order]]
            cards = [
                _Presented(
                    row,
                    redeemed[row][0],
                    faces[redeemed[row][0]],
                    tuple(
                        index
                        for index, line in enumerate(lines[order])
                        if line["product_id"] in scopes[redeemed[row][0]]
                    ),
                )
                for row in rows
                if outcomes.get(row) != APPLIED
            ]
            taken += _decide(cards, left, outcomes)
    recorded = sum(int(lines[order][index]["coupon_disc_minor"]) for order, index in discounted)
    return Recount(outcomes, standings, taken, recorded)


def _baskets_of(
    directory: Path, days: set[tuple[str, str]]
) -> tuple[dict[tuple[str, str], list[str]], dict[str, list[dict[str, str]]]]:
    """Orders of each household and day in the order of time, and the lines of each."""
    rows = [
        (row["placed_at"], row["order_id"], (row["member_id"], row["placed_at"][:10]))
        for row in rows_of(directory / "orders.csv.gz")
        if (row["member_id"], row["placed_at"][:10]) in days
    ]
    baskets: dict[tuple[str, str], list[str]] = defaultdict(list)
    lines: dict[str, list[dict[str, str]]] = {}
    for _, order, day in sorted(rows):
        baskets[day].append(order)
        lines[order] = []
    for path in sorted(directory.glob("order_lines*.csv.gz")):
        for line in rows_of(path):
            if line["order_id"] in lines:
                lines[line["order_id"]].append(line)
    return baskets, lines


def _history_says(
    redeemed: Sequence[tuple[Key, tuple[str, str]]],
    scopes: dict[Key, set[str]],
    baskets: dict[tuple[str, str], list[str]],
    lines: dict[str, list[dict[str, str]]],
) -> tuple[dict[Key, int], dict[int, str], set[tuple[str, int]]]:
    """Each coupon's face, each redemption's standing, and the lines with a discount."""
    found: dict[Key, list[int]] = {key: [] for key in scopes}
    standings: dict[int, str] = {}
    discounted: set[tuple[str, int]] = set()
    for row, (key, day) in enumerate(redeemed):
        covered = [
            (order, index, int(line["coupon_disc_minor"]))
            for order in baskets[day]
            for index, line in enumerate(lines[order])
            if line["product_id"] in scopes[key]
        ]
        off = [(order, index) for order, index, discount in covered if discount > 0]
        found[key] += [discount for _, _, discount in covered if discount > 0]
        discounted.update(off)
        if not baskets[day]:
            standings[row] = NO_ORDER
        elif not covered:
            standings[row] = NO_PRODUCT
        else:
            standings[row] = DISCOUNTED if off else NO_DISCOUNT
    faces = {
        key: min(2000, sorted(each)[(len(each) - 1) // 2]) if each else 100
        for key, each in found.items()
    }
    return faces, standings, discounted


def _decide(cards: Sequence[_Presented], left: list[int], outcomes: dict[int, str]) -> int:
    """Decides the coupons presented with one order; what they take off it."""
    for card in cards:
        if not card.lines:
            outcomes.setdefault(card.row, OUT_OF_SCOPE)
    groups: dict[str, list[_Presented]] = defaultdict(list)
    for card in cards:
        if card.lines:
            groups["-".join(card.key)].append(card)
    ranked = [groups[name] for name in sorted(groups)]
    chosen = tuple(group[0] for group in ranked)
    taken = _taken(chosen, left)
    if taken < sum(card.face for card in chosen):
        every = product(*([None, group[0]] for group in ranked))
        tried = [tuple(card for card in each if card is not None) for each in every]
        chosen = min(tried, key=lambda each: (-_taken(each, left), len(each)))
        taken = _taken(chosen, left)
    for group in ranked:
        winner = group[0] if group[0] in chosen else None
        for card in group:
            if card is winner:
                outcomes[card.row] = APPLIED
            elif outcomes.get(card.row, OUT_OF_SCOPE) == OUT_OF_SCOPE:
                outcomes[card.row] = STACKING_GROUP if winner is not None else NO_EFFECT
    return taken


def _taken(chosen: Sequence[_Presented], whole: Sequence[int]) -> int:
    """What these take off, one after the other, each spread by largest remainder."""
    left = list(whole)
    for card in chosen:
        values = [left[index] for index in card.lines]
        amount = min(card.face, sum(values))
        if not amount:
            continue
        parts = [divmod(amount * value, sum(values)) for value in values]
        over = amount - sum(part for part, _ in parts)
        order = sorted(range(len(parts)), key=lambda place: (-parts[place][1], place))
        for place, (part, _) in enumerate(parts):
            left[card.lines[place]] -= part + (place in order[:over])
    return sum(whole) - sum(left)


def tell_standings(outcomes: dict[int, str], standings: dict[int, str]) -> Counter[Key]:
    """How many redemptions of each standing came to each outcome."""
    return Counter((standings[row], outcome) for row, outcome in outcomes.items())


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a gzip CSV file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
