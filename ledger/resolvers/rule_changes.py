"""Proposes and approves settlement rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection as SqlConnection

from kernel.clock import from_micros, to_micros
from kernel.graphql import input_as_json
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import check_request_id
from kernel.requests import Answer, RequestKey, RequestLog, hash_of
from ledger.context import LedgerContext, LedgerInfo
from ledger.resolvers.rules import rule_of_version
from ledger.rules.state import RuleTerms
from ledger.schema import settlement_rules as types
from ledger.settlement_rules import rules_sql
from ledger.settlement_rules.proposals import (
    NOTICE,
    RuleNotWaiting,
    RuleState,
    SelfApproval,
    check_terms,
    refuse_unless_in_time,
    refuse_when_overtaken,
    refuse_when_underfunded,
    shortfall,
    warnings_of,
)
from ledger.tables import public_request

_requests = RequestLog(public_request)


async def propose_settlement_rule(
    info: LedgerInfo, input: types.ProposeSettlementRuleInput
) -> types.SettlementRuleProposed:
    """Keeps a rule for another admin to approve.

    Raises:
        InvalidInput: a price, a share or the instant is out of range.
        PoolUnderfunded: live points have less funding than the redeem price, and no top-up is
            accepted.
        RequestIdReused: the request id was used with another rule.
    """
    context = info.context
    caller = context.admin()
    terms = _terms(input)
    _check_proposal(context, input, terms)
    missing = await _shortfall(context, terms)
    accepts_top_up = bool(input.accept_top_up)

    def propose(connection: SqlConnection) -> dict[str, Any]:
        refuse_when_underfunded(missing, accepts_top_up=accepts_top_up)
        waiting = rules_sql.read_waiting(connection, now=to_micros(context.now))
        version = rules_sql.insert_rule(
            connection,
            context.ids.new("rule"),
            terms,
            effective_from=to_micros(input.effective_from),
            proposed_by=caller.key,
            accepts_top_up=accepts_top_up,
        )
        warnings = warnings_of(terms, shortfall_minor=missing, waiting=waiting)
        return {"version": version, "warnings": warnings}

    answer = await _answer_once(context, "proposeSettlementRule", input, propose)
    outcome = answer.success()
    return types.SettlementRuleProposed(
        replayed=answer.replayed,
        rule=await rule_of_version(context, outcome["version"]),
        warnings=outcome["warnings"],
    )


async def approve_settlement_rule(
    info: LedgerInfo, input: types.ApproveSettlementRuleInput
) -> types.SettlementRuleApproved:
    """Lets a rule take effect.

    Raises:
        InvalidInput: it takes effect too soon, or a version proposed later is approved.
        NotFound: there is no such rule.
        RuleNotWaiting: it is approved already.
        SelfApproval: the caller proposed it.
        PoolUnderfunded: live points have less funding than its redeem price by now.
        RequestIdReused: the request id was used with another rule.
    """
    context = info.context
    caller = context.admin()
    check_request_id(input.request_id)
    now = to_micros(context.now)
    wanted = await context.read(
        lambda connection: rules_sql.read_rule(connection, input.rule_id, now=now)
    )
    missing = 0 if wanted is None else await _shortfall(context, wanted.terms)

    def approve(connection: SqlConnection) -> dict[str, Any]:
        rule = rules_sql.read_rule(connection, input.rule_id, now=now)
        if rule is None:
            raise NotFound(input.rule_id)
        if rule.state is not RuleState.DRAFT:
            raise RuleNotWaiting(rule.version)
        if rule.proposed_by == caller.key:
            raise SelfApproval
        refuse_when_overtaken(is_overtaken=rules_sql.is_overtaken(connection, rule.version))
        # The clock of another gateway may be ahead of this one's.
        latest = max(context.now, rules_sql.read_newest_booking(connection))
        refuse_unless_in_time(from_micros(rule.effective_from), now=latest)
        refuse_when_underfunded(missing, accepts_top_up=rule.accepts_top_up)
        rules_sql.approve(connection, rule.version, approved_by=caller.key, now=context.now)
        return {"version": rule.version}

    answer = await _answer_once(context, "approveSettlementRule", input, approve)
    version: int = answer.success()["version"]
    return types.SettlementRuleApproved(
        replayed=answer.replayed, rule=await rule_of_version(context, version)
    )


async def _answer_once(
    context: LedgerContext,
    operation: str,
    input: types.ProposeSettlementRuleInput | types.ApproveSettlementRuleInput,
    work: Callable[[SqlConnection], dict[str, Any]],
) -> Answer:
    body = hash_of(input_as_json(input))
    key = RequestKey(context.admin().key, operation, input.request_id, body)
    return await context.database.transaction(
        lambda connection: _requests.answer_once(
            connection, key, now=context.now, work=lambda: work(connection)
        )
    )


async def _shortfall(context: LedgerContext, terms: RuleTerms) -> int:
    lots = await context.read(
        lambda connection: rules_sql.read_live_lots(connection, now=to_micros(context.now))
    )
    return shortfall(lots, terms.redeem_price)


def _terms(input: types.ProposeSettlementRuleInput) -> RuleTerms:
    return RuleTerms(
        issue_price=input.issue_price,
        redeem_price=input.redeem_price,
        issue_fee_bps=input.issue_fee_bps,
        redeem_fee_bps=input.redeem_fee_bps,
        breakage_issuer_bps=input.breakage_issuer_bps,
    )


def _check_proposal(
    context: LedgerContext, input: types.ProposeSettlementRuleInput, terms: RuleTerms
) -> None:
    check_request_id(input.request_id)
    problems = check_terms(terms)
    if input.effective_from < context.now + NOTICE:
        problems.insert(
            0, ["effectiveFrom", "must be at least 60 s from now, and from its approval"]
        )
    if problems:
        raise InvalidInput(problems)
