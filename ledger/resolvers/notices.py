"""Shows a card's notices. See docs/rules/points.md, rule 14."""

from __future__ import annotations

from typing import Protocol

import strawberry

from kernel.graphql import Long
from kernel.pages import After, Connection, First, connection_of, page_args
from ledger.context import LedgerInfo
from ledger.outbox.notice_reads import read_notices
from ledger.resolvers.cursors import whole_numbers
from ledger.rules.days import local_day
from ledger.rules.state import NEVER
from ledger.schema import cards


class HasId(Protocol):
    """An entity."""

    id: strawberry.ID


async def card_expiry_notices(
    card: strawberry.Parent[HasId],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[cards.ExpiryNotice] | None:
    """A page of the card's notices; for its member and admins."""
    context = info.context
    context.require_history_of(card.id)
    page = page_args(first, after or None, key_length=2)
    expires_at, days = whole_numbers(page, (NEVER, 0))
    rows = await context.read(
        lambda connection: read_notices(
            connection, card.id, before=(expires_at, days), limit=page.limit
        )
    )
    zone = context.settings.time_zone
    return connection_of(
        rows,
        page,
        key=lambda row: (row.expires_at, row.days),
        node=lambda row: cards.ExpiryNotice(
            last_day=local_day(context.instant(row.expires_at - 1), zone),
            days_ahead=row.days,
            points=Long(row.points),
            told_at=context.instant(row.recorded_at),
        ),
    )
