"""Lists settlement rules."""

from __future__ import annotations

from typing import Protocol

import strawberry

from kernel.clock import to_micros
from kernel.pages import After, Connection, First, connection_of, page_args
from ledger.context import LedgerContext, LedgerInfo
from ledger.resolvers.cursors import whole_numbers
from ledger.rules.state import NEVER, RuleTerms
from ledger.schema import settlement_rules as types
from ledger.settlement_rules import rules_sql
from ledger.settlement_rules.proposals import RuleState


class HasRuleVersion(Protocol):
    """A refusal about a rule."""

    rule_version: int


class HasTerms(Protocol):
    """A settlement rule, as it is shown."""

    state: RuleState
    terms: RuleTerms


async def settlement_rules(
    info: LedgerInfo, first: First = 20, after: After = strawberry.UNSET
) -> Connection[types.SettlementRule] | None:
    """A page of the settlement rules."""
    context = info.context
    context.admin()
    page = page_args(first, after or None, key_length=1)
    [before] = whole_numbers(page, (NEVER,))
    rows = await _read_rules(context, before=before, limit=page.limit)
    return connection_of(rows, page, key=lambda row: (row.version,), node=types.SettlementRule.of)


async def warnings_of_rule(rule: strawberry.Parent[HasTerms], info: LedgerInfo) -> list[str]:
    """What whoever approves a draft should know now; nothing of an approved rule."""
    if rule.state is not RuleState.DRAFT:
        return []
    return await info.context.load.warnings_by_terms.load(rule.terms)


async def refused_rule(
    refusal: strawberry.Parent[HasRuleVersion], info: LedgerInfo
) -> types.SettlementRule:
    """The rule that a refusal is about."""
    return await rule_of_version(info.context, refusal.rule_version)


async def rule_of_version(context: LedgerContext, version: int) -> types.SettlementRule:
    """The rule of a version, read now."""
    [row] = await _read_rules(context, before=version + 1, limit=1)
    return types.SettlementRule.of(row)


async def _read_rules(
    context: LedgerContext, *, before: int, limit: int
) -> list[rules_sql.RuleRow]:
    return await context.read(
        lambda connection: rules_sql.read_rules(
            connection, before_version=before, limit=limit, now=to_micros(context.now)
        )
    )
