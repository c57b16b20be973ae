"""A card gives up what it has: its free points and coins go as if they had expired today.

Source: docs/rules/identity.md, rule 16; docs/rules/settlement.md, rule 11.
"""

from __future__ import annotations

from dataclasses import replace

from ledger import loading, posting
from ledger.book import Draft
from ledger.contract import CardForfeited, ForfeitCard
from ledger.entering import Moment, enter, event_at, state_of
from ledger.sqlite import Lane
from ledger.state import NEVER, Asset, Lot, Part, State, TxKind

_ALL = 2**62


def forfeit_card(state: State, request: ForfeitCard) -> tuple[Draft, CardForfeited]:
    """Takes every free unit of the card, whatever its dates. Pure.

    Args:
        state: `lots` are those of the card with free units.
    """
    draft = Draft.of(state, NEVER)  # At the end of time everything has expired.
    parts = [Part(lot.id, lot.free) for lot in state.lots if lot.free]
    units = {
        asset: sum(lot.free for lot in state.lots if lot.asset is asset)
        for asset in (Asset.POINTS, Asset.COINS)
    }
    draft.expire(parts)
    return draft, CardForfeited(request.card_id, units[Asset.POINTS], units[Asset.COINS])


def forfeit(lane: Lane, request: ForfeitCard, moment: Moment) -> tuple[CardForfeited, int | None]:
    """Books it; see `Ledger.forfeit_card`."""
    lots: list[Lot] = []
    for asset in (Asset.POINTS, Asset.COINS):
        lots += loading.read_free_lots(
            lane, request.card_id, asset, wanted=_ALL, now=moment.micros, with_pending=True
        )
    heads = loading.read_heads(lane, at=moment.micros)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.card_id))
    draft, receipt = forfeit_card(state_of(heads, lots=lots), request)
    event = event_at(heads, TxKind.FORFEIT, moment, at=request.at, card_id=request.card_id)
    return receipt, enter(lane, replace(event, reason="forfeited"), draft, accounts)
