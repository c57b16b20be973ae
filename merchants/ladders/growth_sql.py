"""SQL of growth tasks and of what they gave. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.ladders.growth import GrowthTask, TaskDay
from merchants.stored import dump, load

_SET = Prepared(
    "INSERT INTO growth_task (merchant_id, code, task, set_at)"
    " VALUES (:merchant_id, :code, :task, :set_at)"
    " ON CONFLICT (merchant_id, code) DO UPDATE SET task = excluded.task, set_at = excluded.set_at"
)
_ALL = Prepared("SELECT code, task FROM growth_task WHERE merchant_id = :merchant_id ORDER BY code")
_DO = Prepared(
    "INSERT INTO growth_entry (merchant_id, card_id, code, reference, done_by, growth, at, day)"
    " VALUES (:merchant_id, :card_id, :code, :reference, :card_id, :growth, :at, :day)"
)
_DONE = Prepared(
    "SELECT growth FROM growth_entry WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " AND code = :code AND reference = :reference"
)
_TIMES = Prepared(
    "SELECT COUNT(*) AS times FROM growth_entry WHERE merchant_id = :merchant_id"
    " AND card_id = :card_id AND code = :code AND day >= :since AND day <= :day"
)


@dataclass(frozen=True, slots=True)
class DoneTask:
    """A task that a card did; `at` is microseconds."""

    merchant_id: str
    card_id: str
    code: str
    reference: str
    growth: int
    at: int
    day: int


def write_task(connection: Connection, merchant_id: str, task: GrowthTask, *, set_at: int) -> None:
    """Keeps the task as it is from now on."""
    stored = [task.title, task.title_en, task.growth, task.per_day, task.per_month, task.is_active]
    connection.execute(
        _SET,
        {"merchant_id": merchant_id, "code": task.code, "task": dump(stored), "set_at": set_at},
    )


def read_tasks(connection: Connection, merchant_id: str) -> list[GrowthTask]:
    """The merchant's tasks, by code."""
    rows = connection.execute(_ALL, {"merchant_id": merchant_id})
    return [GrowthTask(row.code, *load(row.task)) for row in rows]


def insert_done(connection: Connection, done: DoneTask) -> None:
    """Keeps that the task was done; it was not kept before."""
    names = ("merchant_id", "card_id", "code", "reference", "growth", "at", "day")
    connection.execute(_DO, {name: getattr(done, name) for name in names})


def read_done(
    connection: Connection, *, merchant_id: str, card_id: str, code: str, reference: str
) -> int | None:
    """What the task gave under this reference; None when it was not done."""
    growth: int | None = connection.execute(
        _DONE,
        {"merchant_id": merchant_id, "card_id": card_id, "code": code, "reference": reference},
    ).scalar()
    return growth


def count_done(
    connection: Connection, *, merchant_id: str, card_id: str, code: str, on: TaskDay
) -> tuple[int, int]:
    """How often the task was done that day, and that month until then."""
    key = {"merchant_id": merchant_id, "card_id": card_id, "code": code, "day": on.day}
    today, month = (
        int(connection.execute(_TIMES, {**key, "since": since}).scalar_one())
        for since in (on.day, on.month_start)
    )
    return today, month
