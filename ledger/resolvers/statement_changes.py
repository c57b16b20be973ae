"""Confirms, disputes, resolves and pays statements. See docs/rules/periods.md, rules 9 to 12."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import Connection as SqlConnection

from kernel.callers import Caller
from kernel.clock import from_micros, to_micros
from kernel.database import Isolation
from kernel.graphql import Forbidden
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestLog
from ledger.booking.entering import Moment
from ledger.context import LedgerContext, LedgerInfo
from ledger.schema import periods, statement_changes
from ledger.statements import statements_sql
from ledger.statements.life import State, Step, state_after
from ledger.statements.statements_sql import StepRow
from ledger.stores.ports import port_on
from ledger.tables import public_request

REASON_MAX = 500
REFERENCE_MAX = 140
ADJUSTMENT_MAX = 10**13
_requests = RequestLog(public_request)
_Input: TypeAlias = (
    statement_changes.ConfirmStatementInput
    | statement_changes.DisputeStatementInput
    | statement_changes.ResolveDisputeInput
    | statement_changes.RecordPaymentInput
)


async def confirm_statement(
    info: LedgerInfo, input: statement_changes.ConfirmStatementInput
) -> statement_changes.StatementChanged:
    """Accepts a statement; a dispute is withdrawn. Raises as `_take` does."""
    caller = _own(info.context, input.merchant_id)
    return await _take(info.context, caller, "confirmStatement", Step.CONFIRM, input)


async def dispute_statement(
    info: LedgerInfo, input: statement_changes.DisputeStatementInput
) -> statement_changes.StatementChanged:
    """Disputes a statement. Raises as `_take` does."""
    caller = _own(info.context, input.merchant_id)
    _check_text("reason", input.reason, REASON_MAX)
    return await _take(
        info.context, caller, "disputeStatement", Step.DISPUTE, input, reason=input.reason
    )


async def resolve_dispute(
    info: LedgerInfo, input: statement_changes.ResolveDisputeInput
) -> statement_changes.StatementChanged:
    """Settles a dispute by an adjustment. Raises as `_take` does."""
    caller = info.context.admin()
    amount = input.adjustment.amount_minor
    if not 0 < abs(amount) <= ADJUSTMENT_MAX:
        raise InvalidInput.at(
            "adjustment.amountMinor", f"must not be 0, nor beyond {ADJUSTMENT_MAX}"
        )
    if input.adjustment.currency.value != info.context.settings.currency:
        raise InvalidInput.at(
            "adjustment.currency", f"must be {info.context.settings.currency}, the alliance's"
        )
    _check_text("reason", input.reason, REASON_MAX)
    return await _take(
        info.context,
        caller,
        "resolveDispute",
        Step.RESOLVE,
        input,
        reason=input.reason,
        adjustment_minor=amount,
    )


async def record_payment(
    info: LedgerInfo, input: statement_changes.RecordPaymentInput
) -> statement_changes.StatementChanged:
    """Records that a statement was paid. Raises as `_take` does."""
    caller = info.context.admin()
    _check_text("reference", input.reference, REFERENCE_MAX)
    return await _take(
        info.context, caller, "recordPayment", Step.PAY, input, reason=input.reference
    )


async def _take(
    context: LedgerContext,
    caller: Caller,
    operation: str,
    step: Step,
    input: _Input,
    *,
    reason: str | None = None,
    adjustment_minor: int = 0,
) -> statement_changes.StatementChanged:
    """Takes a step of a statement, once for its request.

    Raises:
        InvalidInput: a value beyond its limits.
        NotFound: there is no such statement.
        StatementState: it stands where the step can not be taken.
        RequestIdReused: the request id was used with another input.
    """
    key = request_key(caller, operation, input)
    month = await context.month_of_period(input.period_id)
    merchant_id = str(input.merchant_id)
    is_there = month is not None and bool(
        await context.load.lines_by_statement.load((month, merchant_id))
    )
    taken = StepRow(
        State.ISSUED,
        told_by=caller.key,
        told_at=to_micros(context.now),
        reason=None if reason is None else reason.strip(),
        adjustment_minor=adjustment_minor,
    )

    def take(connection: SqlConnection) -> dict[str, Any]:
        if month is None or not is_there:
            raise NotFound(str(input.period_id if month is None else merchant_id))
        number = _taken(connection, context, month, merchant_id, step, taken)
        return {"month": month, "number": number}

    def once(connection: SqlConnection) -> Answer:
        # Locked before the answer is looked for: of two with one id, the second finds the first's.
        port_on(connection, 0).lock()
        return _requests.answer_once(
            connection, key, now=context.now, work=lambda: take(connection)
        )

    answer = await context.database.transaction(once, isolation=Isolation.READ_COMMITTED)
    stepped = answer.success()
    return statement_changes.StatementChanged(
        replayed=answer.replayed,
        statement=periods.SettlementStatement.of(stepped["month"], merchant_id),
    )


def _taken(
    connection: SqlConnection,
    context: LedgerContext,
    month: int,
    merchant_id: str,
    step: Step,
    taken: StepRow,
) -> int:
    """Takes the step; its number."""
    [life] = statements_sql.read_lives(connection, [(month, merchant_id)])
    state = state_after(
        life.state,
        step,
        closed_at=None if life.closed_at is None else from_micros(life.closed_at),
        now=context.now,
    )
    number = len(life.steps) + 1
    row = StepRow(state, taken.told_by, taken.told_at, taken.reason, taken.adjustment_minor)
    statements_sql.insert_step(connection, month, merchant_id, number=number, step=row)
    if taken.adjustment_minor:
        statements_sql.post_adjustment(
            connection,
            month,
            merchant_id,
            amount_minor=taken.adjustment_minor,
            reason=taken.reason or "",
            moment=Moment(context.now, context.settings),
        )
    return number


def _own(context: LedgerContext, merchant_id: str) -> Caller:
    """The caller, who is that merchant itself, as a whole.

    Raises:
        Forbidden: the caller is no merchant.
        NotFound: it is another one's, or a till of one store.
    """
    caller = context.caller
    if caller is None or caller.is_admin or caller.card_id is not None:
        raise Forbidden
    if not caller.may_decide_for(merchant_id):
        raise NotFound(merchant_id)
    return caller


def _check_text(name: str, text: str, most: int) -> None:
    if not 1 <= len(text.strip()) <= most:
        raise InvalidInput.at(name, f"must have 1 to {most} characters")
