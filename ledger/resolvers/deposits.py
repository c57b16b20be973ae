"""Shows deposits. See docs/rules/deposits.md."""

from __future__ import annotations

from typing import Protocol

import strawberry

from kernel.ids import derived_id
from kernel.pages import After, Connection, First, connection_of, page_args
from ledger.context import LedgerInfo
from ledger.deposits import deposits_sql
from ledger.resolvers.cursors import whole_numbers
from ledger.rules.state import NEVER
from ledger.schema import deposits


class HasMerchantId(Protocol):
    """Something of a merchant."""

    merchant_id: str


async def deposit_movements(
    deposit: strawberry.Parent[HasMerchantId],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[deposits.DepositMovement]:
    """A page of what was recorded and returned."""
    context = info.context
    page = page_args(first, after or None, key_length=1)
    [before] = whole_numbers(page, (NEVER,))
    rows = await context.read(
        lambda connection: deposits_sql.read_movements(
            connection, deposit.merchant_id, before=before, limit=page.limit
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.id,),
        node=lambda row: deposits.DepositMovement(
            id=strawberry.ID(derived_id("dep", context.ledger_id, str(row.id))),
            at=context.instant(row.recorded_at),
            amount=context.money(row.amount_minor),
            reason=row.reason,
        ),
    )
