"""Renewals that wait for nothing begin: refunds of before left them at their old dates."""

from __future__ import annotations

import calendar
import json
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from kernel.clock import SystemClock, from_micros, to_micros

revision = "merchants_0007"
down_revision = "merchants_0006"

_DAY_MICROS = 86_400_000_000

_paid = sa.table(
    "paid_membership",
    *map(sa.column, ("merchant_id", "card_id", "paid_id", "code", "plan")),
    *map(sa.column, ("starts_at", "ends_at", "refunded_at")),
)
_floor = sa.table(
    "tier_floor",
    *map(sa.column, ("merchant_id", "card_id", "cause", "starts_at", "ends_at")),
)


def upgrade() -> None:
    """Lets what has not begun follow what runs of its plan without a gap, or begin now.

    Source: docs/rules/paid-memberships.md, rule 4.
    """
    connection = op.get_bind()
    now = to_micros(SystemClock().now())
    for _, of_plan in groupby(_with_one_that_waits(connection, now), key=_plan_of_card):
        free_from = now
        for bought in of_plan:
            if bought.starts_at <= free_from:
                free_from = max(free_from, bought.ends_at)
                continue
            plan = json.loads(bought.plan)
            starts_at, free_from = free_from, _months_later(free_from, plan["months"])
            grace_micros = plan["graceDays"] * _DAY_MICROS
            _move(connection, bought, starts_at, free_from, grace_micros=grace_micros)


def _with_one_that_waits(connection: sa.Connection, now: int) -> list[Any]:
    """What is not over of every plan and card that has one which has not begun, the first first."""
    waiting = _paid.alias("waiting")
    waits = (
        sa.exists()
        .where(waiting.c.merchant_id == _paid.c.merchant_id)
        .where(waiting.c.card_id == _paid.c.card_id)
        .where(waiting.c.code == _paid.c.code)
        .where(waiting.c.starts_at > now, waiting.c.refunded_at.is_(None))
    )
    wanted = sa.select(_paid).where(_paid.c.ends_at > now, _paid.c.refunded_at.is_(None), waits)
    columns = _paid.c
    return list(
        connection.execute(
            wanted.order_by(
                columns.merchant_id,
                columns.card_id,
                columns.code,
                columns.starts_at,
                columns.paid_id,
            )
        )
    )


def _plan_of_card(bought: Any) -> tuple[str, str, str]:
    return bought.merchant_id, bought.card_id, bought.code


def _months_later(micros: int, months: int) -> int:
    start = from_micros(micros)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    later: datetime = start.replace(year=year, month=month + 1, day=day)
    return to_micros(later)


def _move(
    connection: sa.Connection, bought: Any, starts_at: int, ends_at: int, *, grace_micros: int
) -> None:
    """Gives it other instants, and its rank, if it gives one."""
    connection.execute(
        _paid.update()
        .where(_paid.c.merchant_id == bought.merchant_id, _paid.c.card_id == bought.card_id)
        .where(_paid.c.paid_id == bought.paid_id)
        .values(starts_at=starts_at, ends_at=ends_at)
    )
    connection.execute(
        _floor.update()
        .where(_floor.c.merchant_id == bought.merchant_id, _floor.c.card_id == bought.card_id)
        .where(_floor.c.cause == bought.paid_id)
        .values(starts_at=starts_at, ends_at=ends_at + grace_micros)
    )
