"""What a card had, and what a merchant's account stood at, as of an instant.

Two times count: when something took effect, and by when the books knew of it.

Source: docs/rules/balances.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, or_, select

from kernel.clock import from_micros
from ledger.families.family_books import names_of
from ledger.rules.days import month_of
from ledger.rules.state import Asset
from ledger.stores.every_lane import MONEY, ZERO, in_every_lane
from ledger.tables import card_entry, entry, ledger_tx, lot, period, position

_SLACK_MONTHS = 1
"""In the alliance's time zone, whichever it was, an instant falls at most into the next month."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """An instant on both axes, in microseconds.

    Attributes:
        at: what took effect by then counts.
        recorded_by: what the books knew by then counts; None for all that they know now.
    """

    at: int
    recorded_by: int | None


@dataclass(frozen=True, slots=True)
class CardFigures:
    """Points less debt, and coins in minor units; pending and held ones included."""

    points: int
    coins_minor: int


def read_card_as_of(connection: Connection, card_id: str, as_of: AsOf, *, now: int) -> CardFigures:
    """What a card had; sums the card's own entries alone.

    What was merged into it counts as its own from the beginning.

    Source: docs/rules/balances.md, rules 1 to 3.
    """
    line, tx = card_entry.c, ledger_tx.c
    names = names_of(connection, [card_id])[card_id]
    statement = select(
        func.coalesce(func.sum(line.points), 0), func.coalesce(func.sum(line.coins), 0)
    ).where(in_every_lane(card_entry), line.card_id.in_(names), line.at <= as_of.at)
    if as_of.recorded_by is not None:
        statement = statement.join_from(
            card_entry, ledger_tx, (tx.lane == line.lane) & (tx.seq == line.seq)
        ).where(_is_recorded(connection, as_of.recorded_by))
    points, coins = connection.execute(statement).one()
    if as_of.recorded_by is None:
        unbooked = _unbooked_expiry(connection, names, until=min(as_of.at, now))
        points -= unbooked.get(Asset.POINTS, 0)
        coins -= unbooked.get(Asset.COINS, 0)
    return CardFigures(int(points), int(coins))


def read_net_as_of(connection: Connection, account: str, as_of: AsOf) -> int:
    """The sum of a party's settlement legs, minor units.

    Months that lie wholly before are summed from positions; the months around the instant, and
    what was posted later because its own period was closed, from entries.

    Source: docs/rules/balances.md, rules 1, 2 and 4.
    """
    last = month_of(from_micros(as_of.at), "UTC") + _SLACK_MONTHS
    rolled = last - 2 * _SLACK_MONTHS - 1
    if as_of.recorded_by is not None:
        rolled = min(rolled, _closed_by(connection, as_of.recorded_by))
    whole = select(func.coalesce(func.sum(position.c.amount), 0)).where(
        in_every_lane(position), position.c.account == account, position.c.month <= rolled
    )
    legs = (
        select(func.coalesce(func.sum(entry.c.amount), 0))
        .join_from(
            ledger_tx,
            entry,
            (entry.c.lane == ledger_tx.c.lane) & (entry.c.seq == ledger_tx.c.seq),
        )
        .where(
            in_every_lane(entry),
            in_every_lane(ledger_tx),
            entry.c.asset == MONEY,
            entry.c.account == account,
            ledger_tx.c.effective_at <= as_of.at,
        )
    )
    if as_of.recorded_by is not None:
        legs = legs.where(_is_recorded(connection, as_of.recorded_by))
    around = legs.where(entry.c.month > rolled, entry.c.month <= last)
    late = legs.where(ledger_tx.c.origin_month <= last, ledger_tx.c.month > last)
    return sum(int(connection.execute(each).scalar_one()) for each in (whole, around, late))


def _is_recorded(connection: Connection, recorded_by: int) -> Any:
    """Whether the books knew of a transaction: itself, or because its period was closed."""
    closed = _closed_by(connection, recorded_by)
    return or_(ledger_tx.c.created_at <= recorded_by, ledger_tx.c.month <= closed)


def _closed_by(connection: Connection, instant: int) -> int:
    """The last month that was closed by then; −1 when none was."""
    statement = select(func.coalesce(func.max(period.c.month), -1)).where(
        in_every_lane(period), period.c.closed_at <= instant
    )
    return int(connection.execute(statement).scalar_one())


def _unbooked_expiry(
    connection: Connection, card_ids: Sequence[str], *, until: int
) -> dict[Asset, int]:
    """Units that expired and that no sweep has booked yet."""
    statement = (
        select(lot.c.asset, func.sum(lot.c.remaining - lot.c.held))
        .where(
            in_every_lane(lot),
            lot.c.card_id.in_(card_ids),
            lot.c.remaining > ZERO,
            lot.c.remaining > lot.c.held,
            lot.c.expires_at <= until,
        )
        .group_by(lot.c.asset)
    )
    return {Asset(asset): int(units) for asset, units in connection.execute(statement)}
