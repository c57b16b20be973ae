"""Announces points before they expire: once for each card, day of expiry and number of days.

Which notices are due is decided by the books and the instant alone, inside the transaction that
records them: a search that was cut off is finished by the next one, and none is recorded twice.

Source: docs/rules/points.md, rules 11 to 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, tuple_
from sqlalchemy import exists as has

from kernel.clock import from_micros, to_micros
from kernel.database import Database
from ledger.families.family_books import names_of
from ledger.outbox.from_books_sql import read_ledger_id
from ledger.outbox.messages import notice_message
from ledger.outbox.outbox_sql import put
from ledger.outbox.tables import expiry_notice
from ledger.rules.days import local_day, start_of_day
from ledger.rules.state import Asset
from ledger.stores.every_lane import in_every_lane
from ledger.stores.lanes import read_lanes
from ledger.tables import lot

NOTICE_DAYS = (7, 30, 60)
"""How many days ahead members hear of an expiry, the last notice first."""

NOTICES_AT_ONCE = 100
_BEGINNING = (0, "")


@dataclass(frozen=True, slots=True)
class Due:
    """Points of a card that expire at one instant, in microseconds."""

    card_id: str
    expires_at: int
    points: int


@dataclass(frozen=True, slots=True)
class Band:
    """Expiries after `after` and up to `until` are announced as `days` ahead; microseconds."""

    days: int
    after: int
    until: int


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look: in one lane, behind an (expiry, card)."""

    lane: int
    band: Band
    behind: tuple[int, str]


def bands_at(now: datetime, time_zone: str) -> list[Band]:
    """Which expiries are announced how many days ahead; the same that `expiring` shows.

    Source: docs/rules/points.md, rule 11.
    """
    today = local_day(now, time_zone)
    after = to_micros(now)
    bands = []
    for days in NOTICE_DAYS:
        until = to_micros(start_of_day(today + timedelta(days=days + 1), time_zone))
        bands.append(Band(days, after, until))
        after = until
    return bands


async def announce(database: Database, now: datetime, *, time_zone: str) -> int:
    """Records every notice that is due, a few a transaction; how many.

    Raises:
        DatabaseUnavailable: those recorded before stay.
        Overloaded: likewise.
    """
    announced = 0
    for lane in range(await read_lanes(database)):
        for band in bands_at(now, time_zone):
            behind = _BEGINNING
            while some := await _announce_some(
                database, Search(lane, band, behind), now=now, time_zone=time_zone
            ):
                found, recorded = some
                announced += recorded
                behind = found[-1].expires_at, found[-1].card_id
    return announced


async def _announce_some(
    database: Database, search: Search, *, now: datetime, time_zone: str
) -> tuple[list[Due], int] | None:
    """What was found, and how many of it were recorded; None when nothing is left."""
    if not await database.snapshot(lambda connection: find_due(connection, search, limit=1)):
        return None

    def record(connection: Connection) -> tuple[list[Due], int] | None:
        found = find_due(connection, search, limit=NOTICES_AT_ONCE)
        due = _untold(connection, found, search)
        _record(connection, due, search, now=now, time_zone=time_zone)
        return (found, len(due)) if found else None

    return await database.transaction(record)


def find_due(connection: Connection, search: Search, *, limit: int) -> list[Due]:
    """Expiries that were not announced as so near, or nearer, before; the earliest first."""
    columns, told = lot.c, expiry_notice.c
    free = func.sum(columns.remaining - columns.held)
    statement = (
        select(columns.card_id, columns.expires_at, free)
        .where(
            columns.lane == search.lane,
            columns.asset == Asset.POINTS.value,
            columns.remaining > columns.held,
            columns.expires_at > search.band.after,
            columns.expires_at <= search.band.until,
            tuple_(columns.expires_at, columns.card_id) > search.behind,
            ~has().where(
                told.lane == columns.lane,
                told.card_id == columns.card_id,
                told.expires_at == columns.expires_at,
                told.days <= search.band.days,
            ),
        )
        .group_by(columns.card_id, columns.expires_at)
        .order_by(columns.expires_at, columns.card_id)
        .limit(limit)
    )
    return [
        Due(card_id, expires_at, int(points))
        for card_id, expires_at, points in connection.execute(statement)
    ]


def _untold(connection: Connection, due: Sequence[Due], search: Search) -> list[Due]:
    """Those of which no other name of their card was told as so near, or nearer, before.

    A merge moves points behind their notice to another card of the same member.
    """
    names = names_of(connection, [each.card_id for each in due]) if due else {}
    merged = sorted({name for some in names.values() if len(some) > 1 for name in some})
    if not merged:
        return list(due)
    columns = expiry_notice.c
    rows = connection.execute(
        select(columns.card_id, columns.expires_at).where(
            in_every_lane(expiry_notice),
            columns.card_id.in_(merged),
            columns.expires_at.in_(sorted({each.expires_at for each in due})),
            columns.days <= search.band.days,
        )
    )
    told = {(card_id, expires_at) for card_id, expires_at in rows}
    return [
        each
        for each in due
        if not any((name, each.expires_at) in told for name in names[each.card_id])
    ]


def _record(
    connection: Connection, due: Sequence[Due], search: Search, *, now: datetime, time_zone: str
) -> None:
    if not due:
        return
    micros = to_micros(now)
    ledger_id = read_ledger_id(connection)
    rows = [
        {
            "lane": search.lane,
            "card_id": each.card_id,
            "expires_at": each.expires_at,
            "days": search.band.days,
            "points": each.points,
            "recorded_at": micros,
        }
        for each in due
    ]
    connection.execute(insert(expiry_notice), rows)
    messages = [
        notice_message(
            ledger_id,
            each.card_id,
            each.expires_at,
            last_day=local_day(from_micros(each.expires_at - 1), time_zone).isoformat(),
            days=search.band.days,
            points=each.points,
            now=micros,
        )
        for each in due
    ]
    put(connection, messages, lane=search.lane)
