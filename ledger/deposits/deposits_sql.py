"""Statements on deposits, and on what merchants owe. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from ledger.deposits.credit import PERIODS_AVERAGED, Credit, required_deposit
from ledger.deposits.tables import deposit_entry
from ledger.statements.life import State
from ledger.statements.tables import statement_step
from ledger.stores.every_lane import in_every_lane
from ledger.tables import period, position

ALL_DEPOSITS = "DEPOSITS"
"""The account that every movement of a deposit is booked against."""

_LANE = 0
"""Events of no card are in the first lane."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that came to a merchant's deposit, or went back; `recorded_at` in microseconds.

    Attributes:
        amount_minor: + to the deposit.
    """

    id: int
    amount_minor: int
    reason: str
    recorded_by: str
    recorded_at: int


def insert_movement(
    connection: Connection,
    merchant_id: str,
    amount_minor: int,
    *,
    reason: str,
    recorded_by: str,
    recorded_at: int,
) -> int:
    """Books a movement, both of its sides; its number."""
    newest = select(func.max(deposit_entry.c.id)).where(deposit_entry.c.lane == _LANE)
    number = int(connection.execute(newest).scalar_one() or 0) + 1
    sides = ((merchant_id, amount_minor), (ALL_DEPOSITS, -amount_minor))
    rows = [
        {
            "lane": _LANE,
            "id": number,
            "leg": leg,
            "account": account,
            "amount": amount,
            "reason": reason,
            "recorded_by": recorded_by,
            "recorded_at": recorded_at,
        }
        for leg, (account, amount) in enumerate(sides)
    ]
    connection.execute(insert(deposit_entry), rows)
    return number


def read_balance(connection: Connection, merchant_id: str) -> int:
    """A merchant's deposit, minor units."""
    statement = select(func.coalesce(func.sum(deposit_entry.c.amount), 0)).where(
        deposit_entry.c.lane == _LANE, deposit_entry.c.account == merchant_id
    )
    return int(connection.execute(statement).scalar_one())


def read_movements(
    connection: Connection, merchant_id: str, *, before: int, limit: int
) -> list[Movement]:
    """Movements of a merchant's deposit, the newest first, older than `before`."""
    columns = deposit_entry.c
    statement = (
        select(columns.id, columns.amount, columns.reason, columns.recorded_by, columns.recorded_at)
        .where(columns.lane == _LANE, columns.account == merchant_id, columns.id < before)
        .order_by(columns.id.desc())
        .limit(limit)
    )
    return [Movement(*row) for row in connection.execute(statement)]


def read_credit(connection: Connection, merchant_id: str, *, is_policed: bool) -> Credit:
    """Where a merchant stands."""
    months = (
        select(period.c.month)
        .where(in_every_lane(period))
        .distinct()
        .order_by(period.c.month.desc())
    )
    closed = [row[0] for row in connection.execute(months.limit(PERIODS_AVERAGED))]
    nets = (
        select(position.c.month, func.sum(position.c.amount))
        .where(
            in_every_lane(position),
            position.c.account == merchant_id,
            position.c.month >= min(closed, default=0),
        )
        .group_by(position.c.month)
    )
    net_by_month: dict[int, int] = {month: int(net) for month, net in connection.execute(nets)}
    last = max(closed, default=-1)
    open_net = sum(net for month, net in net_by_month.items() if month > last)
    return Credit(
        balance=read_balance(connection, merchant_id),
        required=required_deposit([net_by_month.get(month, 0) for month in closed]),
        owed=max(0, -open_net),
        is_policed=is_policed,
    )


def read_unpaid(connection: Connection, merchant_id: str) -> int:
    """What a merchant has to pay for all periods whose statement is not paid, together; ≥ 0."""
    paid = select(statement_step.c.month).where(
        statement_step.c.lane == _LANE,
        statement_step.c.merchant_id == merchant_id,
        statement_step.c.state == State.PAID,
    )
    net = select(func.coalesce(func.sum(position.c.amount), 0)).where(
        in_every_lane(position),
        position.c.account == merchant_id,
        position.c.month.not_in(paid),
    )
    return max(0, -int(connection.execute(net).scalar_one()))


def first_unbalanced_movement(connection: Connection) -> int | None:
    """The first movement whose sides do not sum to zero; None when all do."""
    statement = (
        select(deposit_entry.c.id)
        .group_by(deposit_entry.c.lane, deposit_entry.c.id)
        .having((func.sum(deposit_entry.c.amount) != 0) | (func.count() != 2))
        .order_by(deposit_entry.c.lane, deposit_entry.c.id)
        .limit(1)
    )
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else int(found)
