"""Reads an order history: gzip CSV files of merchants, orders, order lines and refunds.

The format is described in docs/replay.md.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

WEB_SHOP = "WEB_SHOP"
STORE_POS = "STORE_POS"


class HistoryUnreadable(Exception):
    """The directory holds no order history of this format."""


@dataclass(frozen=True, slots=True)
class HistoryMerchant:
    """A merchant of the history; `reference` is its id there."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of an order; `unit_price_minor` ≥ 0."""

    sku: str
    category: str | None
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True, slots=True)
class HistoryOrder:
    """One order: who bought what, where and on which day.

    Attributes:
        channel: WEB_SHOP or STORE_POS.
        day: calendar day in the alliance's time zone.
    """

    number: str
    member: str
    merchant: str
    channel: str
    day: date
    lines: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class HistoryRefund:
    """A refund by amount of one order of the history."""

    number: str
    order: str
    member: str
    merchant: str
    day: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day; orders come before refunds, each by number."""

    day: date
    orders: tuple[HistoryOrder, ...]
    refunds: tuple[HistoryRefund, ...]


@dataclass(frozen=True, slots=True)
class History:
    """The orders of some merchants, and the refunds matched to them, day by day."""

    merchants: tuple[HistoryMerchant, ...]
    days: tuple[Day, ...]

    @property
    def order_count(self) -> int:
        """Orders in all."""
        return sum(len(day.orders) for day in self.days)


def read_history(
    directory: Path, *, top: int | None = None, merchants: Sequence[str] | None = None
) -> History:
    """The history of the chosen merchants.

    Args:
        top: the first so many merchants by id among those known by a brand's name.
        merchants: exactly these ids. Neither: all merchants.

    Raises:
        HistoryUnreadable: a file or column is missing, a value is malformed, or a merchant is
            unknown.
    """
    try:
        chosen = _choose_merchants(directory, top=top, merchants=merchants)
        orders = _read_orders(directory, {merchant.reference for merchant in chosen})
        refunds = _read_refunds(directory, orders)
    except (OSError, KeyError, ValueError, EOFError, csv.Error) as error:
        raise HistoryUnreadable(f"{directory}: {error}") from error
    return History(merchants=chosen, days=_by_day(orders.values(), refunds))


def _choose_merchants(
    directory: Path, *, top: int | None, merchants: Sequence[str] | None
) -> tuple[HistoryMerchant, ...]:
    rows = list(_rows(directory, "merchants"))
    name_by_reference = {row["merchant_id"]: row["name"] for row in rows}
    if merchants is not None:
        unknown = sorted(set(merchants) - set(name_by_reference))
        if unknown:
            raise ValueError(f"unknown merchants: {', '.join(unknown[:5])}")
        references = sorted(set(merchants))
    elif top is not None:
        branded = [row["merchant_id"] for row in rows if row["name_rule"] == "brand_rule"]
        references = sorted(branded)[:top]
    else:
        references = sorted(name_by_reference)
    return tuple(HistoryMerchant(ref, name_by_reference[ref]) for ref in references)


def _read_orders(directory: Path, merchants: set[str]) -> dict[str, HistoryOrder]:
    rows = [row for row in _rows(directory, "orders") if row["merchant_id"] in merchants]
    lines = _read_lines(directory, {row["order_id"] for row in rows})
    return {
        row["order_id"]: HistoryOrder(
            number=row["order_id"],
            member=row["member_id"],
            merchant=row["merchant_id"],
            channel=WEB_SHOP if row["channel"] == "online" else STORE_POS,
            day=date.fromisoformat(row["placed_at"]),
            lines=lines[row["order_id"]],
        )
        for row in rows
    }


def _read_lines(directory: Path, orders: set[str]) -> dict[str, tuple[HistoryLine, ...]]:
    lines: dict[str, list[HistoryLine]] = defaultdict(list)
    for row in _rows(directory, "order_lines"):
        if row["order_id"] in orders:
            lines[row["order_id"]].append(
                HistoryLine(
                    sku=row["product_id"] or "-",
                    category=row["category"] or None,
                    quantity=int(row["qty"]),
                    unit_price_minor=int(row["unit_price_minor"]),
                )
            )
    return {number: tuple(own) for number, own in lines.items()}


def _read_refunds(directory: Path, orders: dict[str, HistoryOrder]) -> list[HistoryRefund]:
    return [
        HistoryRefund(
            number=row["refund_id"],
            order=row["matched_order_id"],
            member=orders[row["matched_order_id"]].member,
            merchant=orders[row["matched_order_id"]].merchant,
            day=date.fromisoformat(row["refunded_at"]),
            amount_minor=int(row["amount_minor"]),
        )
        for row in _rows(directory, "refunds")
        if row["matched_order_id"] in orders
    ]


def _by_day(orders: Iterable[HistoryOrder], refunds: Iterable[HistoryRefund]) -> tuple[Day, ...]:
    orders_on: dict[date, list[HistoryOrder]] = defaultdict(list)
    refunds_on: dict[date, list[HistoryRefund]] = defaultdict(list)
    for order in orders:
        orders_on[order.day].append(order)
    for refund in refunds:
        refunds_on[refund.day].append(refund)
    return tuple(
        Day(
            day=day,
            orders=tuple(sorted(orders_on[day], key=lambda order: order.number)),
            refunds=tuple(sorted(refunds_on[day], key=lambda refund: refund.number)),
        )
        for day in sorted({*orders_on, *refunds_on})
    )


def _rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    path = directory / f"{name}.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
