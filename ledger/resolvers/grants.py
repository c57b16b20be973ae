"""Grants coins."""

from __future__ import annotations

from typing import Any

import strawberry
from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.database import Isolation
from kernel.refusals import InvalidInput, NotFound, Refusal
from kernel.request_keys import request_id_problems, request_key
from kernel.requests import Answer, RequestLog
from kernel.text import is_title
from ledger.booking.entering import Moment
from ledger.context import LedgerContext, LedgerInfo
from ledger.contract import GrantCoins
from ledger.families.apart import grant_once, take_turn_to_grant
from ledger.reads import read_standings
from ledger.schema import cards, grants
from ledger.tables import public_request

REASON_MAX = 200
_requests = RequestLog(public_request)


async def grant_coins(info: LedgerInfo, input: grants.GrantCoinsInput) -> grants.CoinsGranted:
    """Gives coins to a card.

    Raises:
        InvalidInput: the amount is not over 0 or of another currency, a text has a wrong length, or
            the funder leaves.
        NotFound: there is no such card or merchant.
        GrantOverBudget: the funder's budget of the month is used up.
        RequestIdReused: the request id was used with another grant.
    """
    context = info.context
    caller = context.admin()
    _check(context, input)
    await _require_known(context, input)
    key = request_key(caller, "grantCoins", input)
    funder = input.funder_merchant_id
    may_fund = funder is None or await context.registry.may_fund_grants(funder)
    request = _request(context, caller, input)
    moment = Moment(context.now, context.settings)

    def grant(connection: Connection) -> dict[str, Any]:
        if not may_fund:
            raise InvalidInput.at("funderMerchantId", "leaves the alliance and issues nothing more")
        outcome = grant_once(connection, request, moment)
        if isinstance(outcome, Refusal):
            raise outcome
        return {"card": request.card_id}

    def grant_in_turn(connection: Connection) -> Answer:
        # Before the answer is looked for: of two with one id, the second finds the first's.
        take_turn_to_grant(connection)
        return _requests.answer_once(
            connection, key, now=context.now, work=lambda: grant(connection)
        )

    answer = await context.database.transaction(grant_in_turn, isolation=Isolation.READ_COMMITTED)
    card_id: str = answer.success()["card"]
    [standing] = await context.read(
        lambda connection: read_standings(connection, [card_id], now=moment.micros)
    )
    context.load.standing_by_card.prime(card_id, standing, force=True)
    return grants.CoinsGranted(replayed=answer.replayed, card=cards.Card(id=strawberry.ID(card_id)))


def _check(context: LedgerContext, input: grants.GrantCoinsInput) -> None:
    problems = request_id_problems(input.request_id)
    if input.amount.amount_minor <= 0:
        problems.append(["amount.amountMinor", "must be over 0"])
    if input.amount.currency.value != context.settings.currency:
        problems.append(["amount.currency", f"must be {context.settings.currency}, the alliance's"])
    if not is_title(input.reason, longest=REASON_MAX):
        problems.append(["reason", f"must have 1 to {REASON_MAX} characters"])
    if problems:
        raise InvalidInput(problems)


async def _require_known(context: LedgerContext, input: grants.GrantCoinsInput) -> None:
    if not await context.registry.has_card(input.card_id):
        raise NotFound(input.card_id)
    funder = input.funder_merchant_id
    if funder is not None and not await context.registry.has_merchant(funder):
        raise NotFound(funder)


def _request(context: LedgerContext, caller: Caller, input: grants.GrantCoinsInput) -> GrantCoins:
    funder = input.funder_merchant_id
    return GrantCoins(
        grant_key=f"{caller.key}/{input.request_id}",
        card_id=str(input.card_id),
        funder_merchant_id=None if funder is None else str(funder),
        amount_minor=input.amount.amount_minor,
        reason=input.reason.strip(),
        at=context.now,
    )
