"""Fills a card's points, coins and history."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Protocol

import strawberry

from kernel.clock import to_micros
from kernel.graphql import BadUserInput, Long
from kernel.pages import After, Connection, First, connection_of, page_args
from ledger import reads
from ledger.context import LedgerContext, LedgerInfo
from ledger.reads import CardEntryRow
from ledger.reports.as_of import AsOf, read_card_as_of
from ledger.resolvers.cursors import whole_numbers
from ledger.rules.days import local_day, start_of_day
from ledger.rules.state import NEVER
from ledger.schema import cards, periods

EXPIRING_DAYS_MAX = 3_660


class HasId(Protocol):
    """An entity."""

    id: strawberry.ID


class HasCardId(Protocol):
    """Something of a card."""

    card_id: str


async def card_points(
    card: strawberry.Parent[HasId], info: LedgerInfo
) -> cards.PointsAccount | None:
    """Points of the card; one read for all cards of the request."""
    info.context.require_standing_of(card.id)
    standing = await info.context.load.standing_by_card.load(card.id)
    return cards.PointsAccount(
        card_id=card.id,
        available=Long(standing.available),
        held=Long(standing.held),
        pending=Long(standing.pending),
        debt=Long(standing.debt),
    )


async def card_coins(card: strawberry.Parent[HasId], info: LedgerInfo) -> cards.CoinsAccount | None:
    """Coins of the card; one read for all cards of the request."""
    info.context.require_standing_of(card.id)
    standing = await info.context.load.standing_by_card.load(card.id)
    return cards.CoinsAccount(
        available=info.context.money(standing.coins_available),
        held=info.context.money(standing.coins_held),
    )


async def expiring_points(
    account: strawberry.Parent[HasCardId], info: LedgerInfo, within_days: int = 30
) -> list[cards.ExpiringPoints]:
    """Available points by the last day on which they can be spent."""
    if not 0 <= within_days <= EXPIRING_DAYS_MAX:
        raise BadUserInput(f"withinDays must be 0 to {EXPIRING_DAYS_MAX}.")
    context = info.context
    zone = context.settings.time_zone
    last_day = local_day(context.now, zone) + timedelta(days=within_days)
    until = to_micros(start_of_day(last_day + timedelta(days=1), zone))
    points_by_day: dict[date, int] = {}
    for expires_at, points in await context.load.expiring_by_card.load((account.card_id, until)):
        day = local_day(context.instant(expires_at - 1), zone)
        points_by_day[day] = points_by_day.get(day, 0) + points
    return [cards.ExpiringPoints(on=on, points=Long(n)) for on, n in points_by_day.items()]


async def card_balance_as_of(
    card: strawberry.Parent[HasId],
    info: LedgerInfo,
    at: datetime,
    recorded_by: datetime | None = strawberry.UNSET,
) -> cards.CardBalance | None:
    """What the card had at an instant, by what the books know now or knew once."""
    context = info.context
    context.require_history_of(card.id)
    known_by = to_micros(recorded_by) if recorded_by else None
    as_of = AsOf(to_micros(at), known_by)
    now = to_micros(context.now)
    figures = await context.read(
        lambda connection: read_card_as_of(connection, card.id, as_of, now=now)
    )
    return cards.CardBalance(points=Long(figures.points), coins=context.money(figures.coins_minor))


async def card_entries(
    card: strawberry.Parent[HasId],
    info: LedgerInfo,
    first: First = 20,
    after: After = strawberry.UNSET,
) -> Connection[cards.CardEntry] | None:
    """A page of the card's history."""
    context = info.context
    context.require_history_of(card.id)
    page = page_args(first, after or None, key_length=4)
    recorded, lane, seq, leg = whole_numbers(page, (NEVER, NEVER, NEVER, 0))
    rows = await context.read(
        lambda connection: reads.read_card_entries(
            connection, card.id, before=(recorded, lane, seq, leg), limit=page.limit
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.recorded_at, row.lane, row.seq, row.leg),
        node=lambda row: _entry(context, row),
    )


def _entry(context: LedgerContext, row: CardEntryRow) -> cards.CardEntry:
    merchant_id = row.merchant_id
    return cards.CardEntry(
        id=strawberry.ID(context.entry_id("ent", row.lane, row.seq, row.leg)),
        at=context.instant(row.at),
        kind=row.kind,
        points=Long(row.points),
        coins=context.money(row.coins_minor),
        merchant=None if merchant_id is None else periods.Merchant(id=strawberry.ID(merchant_id)),
        order_no=row.order_no,
        balance_after=cards.CardBalance(
            points=Long(row.points_after), coins=context.money(row.coins_after_minor)
        ),
    )
