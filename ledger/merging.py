"""Two cards become one: lots, debts and holds of one card move to the other.

Two transactions of the books, one for each card, in one transaction of the database. Lots move
as they are: issuer, funding, dates and what open checkouts hold of them stay.
See docs/rules/merging.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import orjson

from ledger import loading, posting
from ledger.book import CardChange, Draft
from ledger.contract import CardsMerged, CardsUnmerged, MergeCards, MergeSpent, UnmergeCards
from ledger.entering import Moment, enter, event_at, state_of
from ledger.loading import Account
from ledger.lots import is_spendable
from ledger.sqlite import Lane
from ledger.state import Asset, CardEntryKind, Debt, HoldState, Lot, State, TxKind

_ALL = 2**62


class OfCard(Protocol):
    """A request about a card, or about none."""

    @property
    def card_id(self) -> str | None:
        """The card, by any id it ever had."""
        ...


RequestT = TypeVar("RequestT", bound=OfCard)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a card has posted, every figure ≥ 0, and what of it open checkouts hold."""

    points: int = 0
    coins: int = 0
    debt: int = 0
    points_held: int = 0
    coins_held: int = 0


def move_cards_holdings(
    state: State, request: MergeCards, moved: Holdings, *, now: int
) -> tuple[Draft, Draft, CardsMerged]:
    """What leaves the merged card, what the survivor has then, and how that ends. Pure.

    Args:
        state: `lots` are the free points of both cards, `debts` the open ones of both, oldest
            first.

    Source: docs/rules/merging.md, rules 3 and 4.
    """
    leaving = Draft.of(replace(state, lots=(), debts=()), now)
    arriving = Draft.of(state, now)
    for draft, sign in ((leaving, -1), (arriving, 1)):
        if moved.points or moved.debt:
            draft.changes.append(
                CardChange(
                    CardEntryKind.MERGE,
                    Asset.POINTS,
                    sign * moved.points,
                    owed=-sign * moved.debt,
                )
            )
        if moved.coins:
            draft.changes.append(CardChange(CardEntryKind.MERGE, Asset.COINS, sign * moved.coins))
        for asset, held in ((Asset.POINTS, moved.points_held), (Asset.COINS, moved.coins_held)):
            if held:
                draft.held_delta[asset] = sign * held
    arriving.repay_debts()
    debts = [arriving.debts.get(debt.id, debt) for debt in state.debts]
    receipt = CardsMerged(
        merge_id=request.merge_id,
        points_after=sum(
            lot.free
            for lot in arriving.lots.values()
            if lot.asset is Asset.POINTS and is_spendable(lot, now)
        ),
        debt_after=sum(debt.open for debt in debts),
    )
    return leaving, arriving, receipt


def merge(lane: Lane, request: MergeCards, moment: Moment) -> tuple[CardsMerged, int | None]:
    """Moves everything; see `Ledger.merge_cards`."""
    leaving, arriving, receipt, accounts = _decided(lane, request, moment)
    first = loading.read_heads(lane, at=moment.micros)
    event = event_at(first, TxKind.MERGE, moment, at=request.at, card_id=request.merged_card_id)
    left = enter(lane, replace(event, reason=request.merge_id), leaving, accounts)
    _keep_leaving(lane, request, left, moment)
    _keep_parts(lane, request)
    _rename(lane, request.merged_card_id, request.survivor_card_id)
    _alias(lane, request)
    heads = loading.read_heads(lane, at=moment.micros)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.survivor_card_id))
    event = event_at(heads, TxKind.MERGE, moment, at=request.at, card_id=request.survivor_card_id)
    return receipt, enter(lane, replace(event, reason=request.merge_id), arriving, accounts)


def preview(lane: Lane, request: MergeCards, moment: Moment) -> CardsMerged:
    """What `merge` would answer now."""
    return _decided(lane, request, moment)[2]


def unmerge(lane: Lane, request: UnmergeCards, moment: Moment) -> tuple[CardsUnmerged, int | None]:
    """Moves back what `merge` moved; see `Ledger.unmerge_cards`."""
    parts = lane.all(
        "SELECT kind, ref, amount FROM merged_part WHERE lane = 0 AND merge_id = ?",
        (request.merge_id,),
    )
    back = _unspent(lane, request, parts)
    merge_request = MergeCards(
        request.merge_id, request.merged_card_id, request.survivor_card_id, request.at
    )
    state = state_of(loading.read_heads(lane, at=moment.micros))
    leaving, arriving, _ = move_cards_holdings(state, merge_request, back, now=moment.micros)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.survivor_card_id))
    heads = loading.read_heads(lane, at=moment.micros)
    event = event_at(heads, TxKind.MERGE, moment, at=request.at, card_id=request.survivor_card_id)
    left = enter(lane, replace(event, reason=request.merge_id), leaving, accounts)
    _keep_leaving(lane, merge_request, left, moment, operation="unmerge-leaving")
    for kind, ref, _ in parts:
        table = "lot" if kind == "LOT" else "debt"
        lane.run(
            f"UPDATE {table} SET card_id = ? WHERE lane = 0 AND id = ?",
            (request.merged_card_id, ref),
        )
    lane.run("DELETE FROM card_alias WHERE lane = 0 AND card_id = ?", (request.merged_card_id,))
    heads = loading.read_heads(lane, at=moment.micros)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.merged_card_id))
    event = event_at(heads, TxKind.MERGE, moment, at=request.at, card_id=request.merged_card_id)
    seq = enter(lane, replace(event, reason=request.merge_id), arriving, accounts)
    return CardsUnmerged(request.merge_id), seq


def survivor_of(lane: Lane, card_id: str) -> str:
    """The card that an id means now: itself, or the one that it was merged into."""
    row = lane.first(
        "SELECT survivor_id FROM card_alias WHERE lane = 0 AND card_id = ?", (card_id,)
    )
    return card_id if row is None else str(row[0])


def survivors_of(lane: Lane, card_ids: Sequence[str]) -> list[str]:
    """The cards that the ids mean now, in their order."""
    known = {card_id: survivor_of(lane, card_id) for card_id in set(card_ids)}
    return [known[card_id] for card_id in card_ids]


def for_survivor(lane: Lane, request: RequestT) -> RequestT:
    """The request, about the card that its card id means now."""
    if request.card_id is None:
        return request
    return replace(request, card_id=survivor_of(lane, request.card_id))  # type: ignore[type-var]


def _decided(
    lane: Lane, request: MergeCards, moment: Moment
) -> tuple[Draft, Draft, CardsMerged, Mapping[str, Account]]:
    cards = (request.survivor_card_id, request.merged_card_id)
    accounts = loading.read_accounts(lane, posting.card_accounts(request.merged_card_id))
    lots: list[Lot] = []
    debts: list[Debt] = []
    for card_id in cards:
        lots += loading.read_free_lots(
            lane, card_id, Asset.POINTS, wanted=_ALL, now=moment.micros, with_pending=True
        )
        debts += loading.read_debts(lane, card_id)
    debts.sort(key=lambda debt: debt.id)
    state = state_of(loading.read_heads(lane, at=moment.micros), lots=lots, debts=tuple(debts))
    leaving, arriving, receipt = move_cards_holdings(
        state, request, _holdings(request.merged_card_id, accounts), now=moment.micros
    )
    return leaving, arriving, receipt, accounts


def _holdings(card_id: str, accounts: Mapping[str, Account]) -> Holdings:
    nothing = Account()
    points = accounts.get(f"points:{card_id}", nothing)
    coins = accounts.get(f"coins:{card_id}", nothing)
    debt = accounts.get(f"debt:{card_id}", nothing)
    return Holdings(points.posted, coins.posted, -debt.posted, points.held, coins.held)


def _keep_leaving(
    lane: Lane,
    request: MergeCards,
    seq: int | None,
    moment: Moment,
    *,
    operation: str = "merge-leaving",
) -> None:
    """The merged card's own transaction is known by the merge too, like every transaction."""
    lane.run(
        "INSERT INTO ledger_request (lane, operation, idem_key, request_hash, outcome, tx_seq,"
        " receipt, created_at) VALUES (0, ?, ?, '', ?, ?, ?, ?)",
        (
            operation,
            request.merge_id,
            "NOOP" if seq is None else "OK",
            seq,
            orjson.dumps({"merge_id": request.merge_id}).decode(),
            moment.micros,
        ),
    )


def _keep_parts(lane: Lane, request: MergeCards) -> None:
    """Remembers what moves, as it is, so that it can move back while nobody has touched it."""
    lane.run(
        "INSERT INTO merged_part (lane, merge_id, kind, ref, amount) "
        "SELECT 0, ?, 'LOT', id, remaining FROM lot "
        "WHERE lane = 0 AND card_id = ? AND remaining > 0",
        (request.merge_id, request.merged_card_id),
    )
    lane.run(
        "INSERT INTO merged_part (lane, merge_id, kind, ref, amount) "
        "SELECT 0, ?, 'DEBT', id, open FROM debt "
        "WHERE lane = 0 AND card_id = ? AND open > 0",
        (request.merge_id, request.merged_card_id),
    )


def _rename(lane: Lane, before: str, after: str) -> None:
    """Exhausted lots keep their old card until something returns to them."""
    for table, condition in (
        ("lot", "remaining > 0"),
        ("debt", "open > 0"),
        ("hold", f"state = '{HoldState.HELD.value}'"),
    ):
        lane.run(
            f"UPDATE {table} SET card_id = ? WHERE lane = 0 AND card_id = ? AND {condition}",
            (after, before),
        )


def _alias(lane: Lane, request: MergeCards) -> None:
    lane.run(
        "UPDATE card_alias SET survivor_id = ? WHERE lane = 0 AND survivor_id = ?",
        (request.survivor_card_id, request.merged_card_id),
    )
    lane.run(
        "INSERT INTO card_alias (lane, card_id, survivor_id, merge_id) VALUES (0, ?, ?, ?)",
        (request.merged_card_id, request.survivor_card_id, request.merge_id),
    )


def _unspent(lane: Lane, request: UnmergeCards, parts: list[tuple[object, ...]]) -> Holdings:
    """What moved, all of which is still there as it was.

    Raises:
        MergeSpent: something of it was spent, repaid, taken back or is held.
    """
    points = coins = debt = 0
    for kind, ref, amount in parts:
        assert isinstance(amount, int)
        if kind == "DEBT":
            row = lane.first(
                "SELECT open, 0, 'DEBT', card_id FROM debt WHERE lane = 0 AND id = ?", (ref,)
            )
        else:
            row = lane.first(
                "SELECT remaining, held, asset, card_id FROM lot WHERE lane = 0 AND id = ?", (ref,)
            )
        if row is None or row != (amount, 0, row[2], request.survivor_card_id):
            raise MergeSpent
        if row[2] == "DEBT":
            debt += amount
        elif row[2] == Asset.POINTS.value:
            points += amount
        else:
            coins += amount
    return Holdings(points, coins, debt)
