"""Makes messages of what the books hold. The caller owns the transaction.

The books themselves are the record of what happened: a transaction becomes a message after it was
committed, in the order of its lane, so nothing is told that did not happen, and nothing is left
out, at no cost to the write. See docs/rules/outbox.md, rules 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ledger.outbox.messages import Message, event_message
from ledger.outbox.outbox_sql import put, room
from ledger.outbox.tables import outbox_cursor
from ledger.stores.every_lane import MONEY
from ledger.stores.lanes import lanes_of
from ledger.tables import card_entry, entry, ledger_info, ledger_tx

TAKEN_AT_ONCE = 200


def read_ledger_id(connection: Connection) -> str:
    """The name of these books."""
    return str(connection.execute(select(ledger_info.c.ledger_id)).scalar_one())


def is_anything_to_take(connection: Connection) -> bool:
    """Whether the books hold a transaction that is no message yet, and there is room for it."""
    return (
        any(_behind(connection, lane) for lane in range(lanes_of(connection)))
        and room(connection) > 0
    )


def take_from_books(connection: Connection) -> int:
    """Makes messages of the transactions that follow the last ones taken; how many."""
    ledger_id = read_ledger_id(connection)
    taken, free = 0, room(connection)
    for lane in range(lanes_of(connection)):
        limit = min(TAKEN_AT_ONCE, free - taken)
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


def _cursor(connection: Connection, lane: int) -> int | None:
    statement = select(outbox_cursor.c.seq).where(outbox_cursor.c.lane == lane)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else int(found)


def _behind(connection: Connection, lane: int) -> bool:
    newest = select(func.max(ledger_tx.c.seq)).where(ledger_tx.c.lane == lane)
    found = connection.execute(newest).scalar_one()
    return found is not None and found > (_cursor(connection, lane) or 0)


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
