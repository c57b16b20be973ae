"""Statements on the outbox. The caller owns the transaction.

The books themselves are the record of what happened: a transaction becomes a message after it was
committed, in the order of its lane, so nothing is told that did not happen, and nothing is left
out, at no cost to the write. See docs/rules/outbox.md, rules 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update
from sqlalchemy import exists as has

from ledger.every_lane import MONEY, ZERO, in_every_lane
from ledger.lanes import lanes_of
from ledger.outbox.messages import Message, event_message
from ledger.outbox.tables import outbox, outbox_cursor
from ledger.tables import card_entry, entry, ledger_info, ledger_tx

TAKEN_AT_ONCE = 200
WAITING_MAX = 1_000
KEPT_MAX = 20_000
"""Of all messages, those of streams that wait for a rejected one among them."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that can be sent now: the oldest of its stream.

    Attributes:
        rejections: how many times that count the receiver said no to it.
    """

    lane: int
    id: int
    message_id: str
    stream: str
    topic: str
    payload: str
    rejections: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a receiver has not taken yet, of the messages that are made.

    Attributes:
        waiting: how many messages are not parked.
        parked: how many are.
        oldest_at: when the oldest of either was told by the books, in microseconds; None of none.
    """

    waiting: int = 0
    parked: int = 0
    oldest_at: int | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """A message that was rejected too often; its stream waits for an admin.

    Attributes:
        parked_at: microseconds.
    """

    lane: int
    id: int
    message_id: str
    stream: str
    topic: str
    payload: str
    parked_at: int
    last_error: str


def read_ledger_id(connection: Connection) -> str:
    """The name of these books."""
    return str(connection.execute(select(ledger_info.c.ledger_id)).scalar_one())


def is_anything_to_take(connection: Connection) -> bool:
    """Whether the books hold a transaction that is no message yet, and there is room for it."""
    return (
        any(_behind(connection, lane) for lane in range(lanes_of(connection)))
        and _room(connection) > 0
    )


def take_from_books(connection: Connection) -> int:
    """Makes messages of the transactions that follow the last ones taken; how many."""
    ledger_id = read_ledger_id(connection)
    taken, room = 0, _room(connection)
    for lane in range(lanes_of(connection)):
        limit = min(TAKEN_AT_ONCE, room - taken)
        if limit <= 0:
            break
        after = _cursor(connection, lane)
        messages, last = _messages_behind(connection, ledger_id, lane, after=after, limit=limit)
        if not messages:
            continue
        put(connection, messages, lane=lane)
        if after is None:
            connection.execute(insert(outbox_cursor).values(lane=lane, seq=last))
        else:
            moved = update(outbox_cursor).where(outbox_cursor.c.lane == lane).values(seq=last)
            connection.execute(moved)
        taken += len(messages)
    return taken


def put(connection: Connection, messages: Iterable[Message], *, lane: int = 0) -> None:
    """Keeps messages until they are delivered, in their order."""
    newest = select(func.max(outbox.c.id)).where(outbox.c.lane == lane)
    following = (connection.execute(newest).scalar_one() or 0) + 1
    rows = [
        {
            "lane": lane,
            "id": number,
            "message_id": message.message_id,
            "stream": message.stream,
            "topic": message.topic,
            "payload": message.payload,
            "created_at": message.created_at,
            "rejections": 0,
        }
        for number, message in enumerate(messages, start=following)
    ]
    if rows:
        connection.execute(insert(outbox), rows)


def read_sendable(connection: Connection, *, after: tuple[int, int], limit: int) -> list[Waiting]:
    """The oldest message of every stream, but of those that an admin must look at.

    Args:
        after: (lane, id) of the last one seen; they come in that order.
    """
    earlier = outbox.alias("earlier")
    columns = outbox.c
    statement = (
        select(
            columns.lane, columns.id, columns.message_id, columns.stream, columns.topic,
            columns.payload, columns.rejections,
        )
        .where(
            in_every_lane(outbox),
            columns.parked_at.is_(None),
            tuple_(columns.lane, columns.id) > after,
            ~has().where(
                earlier.c.lane == columns.lane,
                earlier.c.stream == columns.stream,
                earlier.c.id < columns.id,
            ),
        )
        .order_by(columns.lane, columns.id)
        .limit(limit)
    )  # fmt: skip
    return [Waiting(*row) for row in connection.execute(statement)]


def remove(connection: Connection, message: Waiting | Parked) -> None:
    """Forgets a message that was delivered, or given up; nothing when it is gone already."""
    connection.execute(delete(outbox).where(_is(message)))


def mark_rejected(
    connection: Connection,
    message: Waiting,
    *,
    rejections: int,
    error: str,
    parked_at: int | None,
) -> None:
    """Keeps how a message was answered; parks it when an instant is given.

    Args:
        rejections: how many count by now.
    """
    connection.execute(
        update(outbox)
        .where(_is(message))
        .values(rejections=rejections, last_error=error, parked_at=parked_at)
    )


def unpark(connection: Connection, message: Parked) -> None:
    """Lets a parked message be tried anew."""
    connection.execute(update(outbox).where(_is(message)).values(rejections=0, parked_at=None))


def read_parked(connection: Connection, *, after: tuple[int, int], limit: int) -> list[Parked]:
    """Parked messages, the oldest first, behind `after` = (lane, id)."""
    columns = outbox.c
    lane, number = after
    behind = (columns.lane > lane) | ((columns.lane == lane) & (columns.id > number))
    statement = _parked().where(behind).order_by(columns.lane, columns.id).limit(limit)
    return [Parked(*row) for row in connection.execute(statement)]


def find_parked(connection: Connection, message_id: str) -> Parked | None:
    """A parked message; None when none has this id."""
    row = connection.execute(_parked().where(outbox.c.message_id == message_id)).one_or_none()
    return None if row is None else Parked(*row)


def read_backlog(connection: Connection) -> Backlog:
    """What the receiver has not taken yet."""
    columns = outbox.c
    statement = select(
        func.count(), func.count(columns.parked_at), func.min(columns.created_at)
    ).where(in_every_lane(outbox))
    kept, parked, oldest = connection.execute(statement).one()
    return Backlog(kept - parked, parked, oldest)


def _is(message: Waiting | Parked) -> Any:
    """Numbers are given again once their messages are gone, so a late sender goes by the id too."""
    columns = outbox.c
    return (
        (columns.lane == message.lane)
        & (columns.id == message.id)
        & (columns.message_id == message.message_id)
    )


def _parked() -> Any:
    columns = outbox.c
    return select(
        columns.lane, columns.id, columns.message_id, columns.stream, columns.topic,
        columns.payload, columns.parked_at, columns.last_error,
    ).where(
        in_every_lane(outbox), columns.rejections > ZERO, columns.parked_at.is_not(None)
    )  # fmt: skip


def _cursor(connection: Connection, lane: int) -> int | None:
    statement = select(outbox_cursor.c.seq).where(outbox_cursor.c.lane == lane)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else int(found)


def _behind(connection: Connection, lane: int) -> bool:
    newest = select(func.max(ledger_tx.c.seq)).where(ledger_tx.c.lane == lane)
    found = connection.execute(newest).scalar_one()
    return found is not None and found > (_cursor(connection, lane) or 0)


def _room(connection: Connection) -> int:
    """How many messages more may wait.

    A stream with a rejected one takes no room from others, until there are very many of those: a
    receiver that rejects everything would have the outbox copy the books.
    """
    troubled = outbox.alias("troubled")
    statement = select(func.count()).where(
        ~has().where(
            troubled.c.lane == outbox.c.lane,
            troubled.c.stream == outbox.c.stream,
            troubled.c.rejections > ZERO,
        )
    )
    waiting = int(connection.execute(statement.select_from(outbox)).scalar_one())
    kept = int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())
    return min(WAITING_MAX - waiting, KEPT_MAX - kept)


def _messages_behind(
    connection: Connection, ledger_id: str, lane: int, *, after: int | None, limit: int
) -> tuple[list[Message], int]:
    tx = ledger_tx.c
    statement = (
        select(
            tx.seq, tx.kind, tx.card_id, tx.merchant_id, tx.order_no, tx.effective_at,
            tx.created_at, tx.month, tx.origin_month, tx.reason,
        )
        .where(tx.lane == lane, tx.seq > (after or 0))
        .order_by(tx.seq)
        .limit(limit)
    )  # fmt: skip
    found = connection.execute(statement).all()
    if not found:
        return [], 0
    first, last = found[0][0], found[-1][0]
    lines = _by_seq(connection, _lines(lane, first, last))
    legs = _by_seq(connection, _legs(lane, first, last))
    messages = [
        event_message(ledger_id, lane, row, lines.get(row[0], ()), legs.get(row[0], ()))
        for row in found
    ]
    return messages, last


def _lines(lane: int, first: int, last: int) -> Any:
    tx, line = ledger_tx.c, card_entry.c
    return (
        select(line.seq, line.kind, line.points, line.coins, line.points_after, line.coins_after)
        .join_from(
            ledger_tx,
            card_entry,
            (line.lane == tx.lane) & (line.card_id == tx.card_id) & (line.seq == tx.seq),
        )
        .where(tx.lane == lane, tx.seq.between(first, last))
        .order_by(line.seq, line.leg)
    )


def _legs(lane: int, first: int, last: int) -> Any:
    leg = entry.c
    return (
        select(
            leg.seq, leg.account, leg.kind, leg.amount, leg.points, leg.rule_version, leg.order_no
        )
        .where(leg.lane == lane, leg.seq.between(first, last), leg.asset == MONEY)
        .order_by(leg.seq, leg.leg)
    )


def _by_seq(connection: Connection, statement: Any) -> dict[int, list[Sequence[Any]]]:
    rows: dict[int, list[Sequence[Any]]] = {}
    for seq, *values in connection.execute(statement):
        rows.setdefault(seq, []).append(values)
    return rows
