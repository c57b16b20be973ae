"""Statements on the outbox. The caller owns the transaction. See docs/rules/outbox.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, tuple_, update
from sqlalchemy import exists as has

from ledger.outbox.messages import Message
from ledger.outbox.tables import outbox
from ledger.stores.every_lane import ZERO, in_every_lane

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


def room(connection: Connection) -> int:
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
