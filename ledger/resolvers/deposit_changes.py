"""Records deposits and returns them. See docs/rules/deposits.md, rule 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry
from sqlalchemy import Connection as SqlConnection

from kernel.clock import to_micros
from kernel.graphql import format_datetime
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_id_problems, request_key
from kernel.requests import RequestLog
from ledger.context import LedgerContext, LedgerInfo
from ledger.deposits import deposits_sql
from ledger.deposits.credit import DepositHeld, DepositTooLow
from ledger.schema import deposit_changes, periods
from ledger.tables import public_request

REASON_MAX = 200
AMOUNT_MAX = 10**13
_requests = RequestLog(public_request)


async def record_deposit(
    info: LedgerInfo, input: deposit_changes.RecordDepositInput
) -> deposit_changes.DepositRecorded:
    """Books money that a merchant left.

    Raises:
        InvalidInput: a value beyond its limits.
        NotFound: there is no such merchant.
        RequestIdReused: the request id was used with another input.
    """
    replayed = await _move(
        info.context, "recordDeposit", input, lambda _: input.amount.amount_minor
    )
    return deposit_changes.DepositRecorded(replayed=replayed, merchant=_merchant(input.merchant_id))


async def return_deposit(
    info: LedgerInfo, input: deposit_changes.ReturnDepositInput
) -> deposit_changes.DepositReturned:
    """Books money that a merchant got back.

    Raises:
        InvalidInput: a value beyond its limits.
        NotFound: there is no such merchant.
        DepositHeld: the merchant leaves, and its customers may still return what they bought.
        DepositTooLow: the deposit does not hold so much, or what would be left of it does not cover
            what a merchant that leaves has to pay.
        RequestIdReused: the request id was used with another input.
    """
    info.context.admin()
    held_until = await info.context.registry.deposit_held_until(input.merchant_id)

    def taken(connection: SqlConnection) -> int:
        owed = 0
        if held_until is not None:
            if info.context.now < held_until:
                raise DepositHeld(format_datetime(held_until))
            owed = deposits_sql.read_unpaid(connection, input.merchant_id)
        balance = deposits_sql.read_balance(connection, input.merchant_id)
        if input.amount.amount_minor > balance - owed:
            raise DepositTooLow(balance, owed)
        return -input.amount.amount_minor

    replayed = await _move(info.context, "returnDeposit", input, taken)
    return deposit_changes.DepositReturned(replayed=replayed, merchant=_merchant(input.merchant_id))


async def _move(
    context: LedgerContext,
    operation: str,
    input: deposit_changes.RecordDepositInput | deposit_changes.ReturnDepositInput,
    amount_of: Callable[[SqlConnection], int],
) -> bool:
    """Books the movement once for its request; whether it had been booked before."""
    caller = context.admin()
    _check(context, input)
    merchant_id = str(input.merchant_id)
    if merchant_id == context.settings.alliance_merchant_id or not (
        await context.registry.has_merchant(merchant_id)
    ):
        raise NotFound(merchant_id)
    key = request_key(caller, operation, input)

    def move(connection: SqlConnection) -> dict[str, Any]:
        number = deposits_sql.insert_movement(
            connection,
            merchant_id,
            amount_of(connection),
            reason=input.reason.strip(),
            recorded_by=caller.key,
            recorded_at=to_micros(context.now),
        )
        return {"movement": number}

    answer = await context.database.transaction(
        lambda connection: _requests.answer_once(
            connection, key, now=context.now, work=lambda: move(connection)
        )
    )
    answer.success()
    return answer.replayed


def _check(
    context: LedgerContext,
    input: deposit_changes.RecordDepositInput | deposit_changes.ReturnDepositInput,
) -> None:
    problems = request_id_problems(input.request_id)
    if not 0 < input.amount.amount_minor <= AMOUNT_MAX:
        problems.append(["amount.amountMinor", f"must be over 0 and at most {AMOUNT_MAX}"])
    if input.amount.currency.value != context.settings.currency:
        problems.append(["amount.currency", f"must be {context.settings.currency}, the alliance's"])
    if not 1 <= len(input.reason.strip()) <= REASON_MAX:
        problems.append(["reason", f"must have 1 to {REASON_MAX} characters"])
    if problems:
        raise InvalidInput(problems)


def _merchant(merchant_id: str) -> periods.Merchant:
    return periods.Merchant(id=strawberry.ID(merchant_id))
