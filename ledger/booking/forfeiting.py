"""A card gives up what it has: its free points and coins go as if they had expired today.

Source: docs/rules/identity.md, rule 16; docs/rules/settlement.md, rule 11.
"""

from __future__ import annotations

from dataclasses import replace

from kernel.clock import to_micros
from ledger.booking.entering import Moment, event_at, state_of
from ledger.booking.posting import Pen
from ledger.contract import CardForfeited, ForfeitCard
from ledger.rules.draft import Draft
from ledger.rules.state import NEVER, Asset, Lot, Part, State, TxKind

ALL_UNITS = 2**62
"""More units than a card has."""


def forfeit_card(state: State, request: ForfeitCard) -> tuple[Draft, CardForfeited]:
    """Takes every free unit of the card, whatever its dates. Pure.

    Args:
        state: `lots` are those of the card with free units.
    """
    draft = Draft(state, NEVER)  # At the end of time everything has expired.
    parts = [Part(lot.id, lot.free) for lot in state.lots if lot.free]
    units = {
        asset: sum(lot.free for lot in state.lots if lot.asset is asset)
        for asset in (Asset.POINTS, Asset.COINS)
    }
    draft.expire(parts)
    return draft, CardForfeited(request.card_id, units[Asset.POINTS], units[Asset.COINS])


def forfeit(pen: Pen, request: ForfeitCard, moment: Moment) -> tuple[CardForfeited, int | None]:
    """Books it; see `Ledger.forfeit_card`."""
    books = pen.books
    lots: list[Lot] = []
    for asset in (Asset.POINTS, Asset.COINS):
        lots += books.free_lots(
            request.card_id, asset, wanted=ALL_UNITS, now=moment.micros, with_pending=True
        )
    draft, receipt = forfeit_card(state_of(books, to_micros(request.at), lots=lots), request)
    event = event_at(books, TxKind.FORFEIT, moment, at=request.at, card_id=request.card_id)
    return receipt, pen.enter(replace(event, reason="forfeited"), draft)
