"""Shows what a merchant has left as a deposit. See docs/rules/deposits.md."""

from __future__ import annotations

from typing import Protocol

import strawberry

from ledger.context import LedgerContext, LedgerInfo
from ledger.deposits import deposits_sql
from ledger.deposits.credit import Credit
from ledger.deposits.issuing import is_policed
from ledger.schema import deposits


class HasId(Protocol):
    """An entity."""

    id: strawberry.ID


async def merchant_deposit(
    merchant: strawberry.Parent[HasId], info: LedgerInfo
) -> deposits.Deposit | None:
    """The merchant's deposit, and what it may owe."""
    context = info.context
    context.require_account_of(merchant.id)
    credit = await context.read(
        lambda connection: deposits_sql.read_credit(
            connection, merchant.id, is_policed=is_policed(context.settings, merchant.id)
        )
    )
    return deposits.Deposit(
        merchant_id=merchant.id,
        balance=context.money(credit.balance),
        required=context.money(credit.required),
        owed=context.money(credit.owed),
        limit=context.money(credit.limit),
        issuing_allowed=credit.may_issue,
        suspended_because=_reason(context, credit),
    )


def _reason(context: LedgerContext, credit: Credit) -> str | None:
    if credit.may_issue:
        return None
    currency = context.settings.currency
    return (
        f"It owes {credit.owed} minor units of {currency} for open periods, more than 120 % of "
        f"its deposit of {credit.balance}. Sales earn points again once the deposit is raised."
    )
