"""Books tasks that members do for growth value.

Source: docs/rules/tiers.md, rule 18.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput, NotFound
from merchants.alliance_facts import AllianceFacts
from merchants.coupons.issuing import require_active
from merchants.ladders.evaluating import Evaluator, Noted
from merchants.ladders.evaluation import Cause
from merchants.ladders.growth import (
    REFERENCE_MAX,
    TASKS_MAX,
    GrowthTask,
    reached_cap,
    task_day,
    task_problems,
)
from merchants.ladders.growth_sql import (
    DoneTask,
    count_done,
    insert_done,
    read_done,
    read_tasks,
    write_task,
)
from merchants.ladders.history_sql import task_reference
from merchants.refusals import NotAMember, TaskCapReached
from merchants.registry_sql import read_member_cards


def set_task(connection: Connection, merchant_id: str, task: GrowthTask, *, now: datetime) -> None:
    """Makes the task, or changes what it gives from now on.

    Raises:
        InvalidInput: the task has faults, or the merchant has its share of tasks.
    """
    problems = task_problems(task)
    if problems:
        raise InvalidInput(problems)
    codes = {each.code for each in read_tasks(connection, merchant_id)}
    if task.code not in codes and len(codes) >= TASKS_MAX:
        raise InvalidInput.at("code", f"must not be new: a merchant has at most {TASKS_MAX} tasks")
    write_task(connection, merchant_id, task, set_at=to_micros(now))


def do_task(
    connection: Connection,
    merchant_id: str,
    card_id: str,
    *,
    code: str,
    reference: str,
    now: datetime,
    alliance: AllianceFacts,
    evaluator: Evaluator,
) -> tuple[int, bool]:
    """What the task gave, and whether it counted now and not before under this reference.

    Raises:
        MerchantNotActive: the merchant may not.
        NotFound: the merchant has no such task, or no longer.
        NotAMember: the card has not joined the merchant.
        TaskCapReached: the card did it as often as it counts.
        InvalidInput: the reference is outside its limits.
    """
    require_active(connection, merchant_id)
    if not 1 <= len(reference) <= REFERENCE_MAX:
        raise InvalidInput.at("reference", f"must have 1 to {REFERENCE_MAX} characters")
    task = next((each for each in read_tasks(connection, merchant_id) if each.code == code), None)
    if task is None or not task.is_active:
        raise NotFound(code)
    if not read_member_cards(connection, merchant_id, [card_id]):
        raise NotAMember([card_id])
    key = {"merchant_id": merchant_id, "card_id": card_id, "code": code}
    before = read_done(connection, **key, reference=reference)
    if before is not None:
        return before, False
    on = task_day(now, alliance.zone)
    today, this_month = count_done(connection, **key, on=on)
    cap = reached_cap(task, done_today=today, done_this_month=this_month)
    if cap is not None:
        raise TaskCapReached(code, cap)
    done = DoneTask(merchant_id, card_id, code, reference, task.growth, to_micros(now), on.day)
    insert_done(connection, done)
    evaluator.note(
        connection,
        Noted(
            merchant_id,
            card_id,
            now,
            Cause.TASK,
            task_reference(code, reference),
            growth=task.growth,
        ),
    )
    return task.growth, True
