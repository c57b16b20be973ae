"""What a history has posted, as it is read to be settled again: plain values, no tables.

Source: docs/rules/settlement.md, rule 17.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.rules.settlement import Leg
from ledger.rules.state import Lot


@dataclass(frozen=True, slots=True)
class PastMove:
    """Units that entered or left a lot; `lot` as it was made, `funding_minor` as it moved."""

    lot: Lot
    amount: int
    funding_minor: int


@dataclass(frozen=True, slots=True)
class PastDebt:
    """Points owed for the order that a party has under a number."""

    party: str
    order_no: str | None
    points: int


@dataclass(frozen=True, slots=True)
class PastMerge:
    """That a transaction carried something from one card to another, or to it.

    Attributes:
        reason: the merge, or what came late; the transactions of both cards have it.
        takes_debts: whether debts leave the card; `brings_debts`, whether some come to it.
        brought: what this merge brought the card of debts, whichever of its transactions that was;
            when it takes them again it is undone. None when it brought none.
    """

    reason: str
    takes_debts: bool
    brings_debts: bool
    brought: tuple[PastDebt, ...] | None


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One transaction, its legs and movements in the order they were posted.

    Attributes:
        party: the merchant of its order, as it settles; ALLIANCE when none is behind it.
        is_counted: whether it took effect in the simulated time.
        merge: when it carries something from one card to another.
        owed: points of its order that the card owes since, and did not before.
    """

    party: str
    order_no: str | None
    is_counted: bool
    legs: tuple[Leg, ...]
    moves: tuple[PastMove, ...]
    card_id: str | None = None
    merge: PastMerge | None = None
    owed: int = 0


@dataclass(slots=True)
class _Open:
    debt: PastDebt
    left: int
    brought_by: str | None = None


class OpenDebts:
    """The open debts of a lane's cards, oldest first, while its history passes."""

    def __init__(self) -> None:
        self._by_card: dict[str | None, list[_Open]] = {}
        self._gone: dict[tuple[str | None, str], list[PastDebt]] = {}
        self._on_the_way: tuple[str | None, str, list[PastDebt]] | None = None

    def make(self, card_id: str | None, debt: PastDebt, brought_by: str | None = None) -> None:
        """The card owes from now on."""
        opened = _Open(debt, debt.points, brought_by)
        self._by_card.setdefault(card_id, []).append(opened)

    def repay(self, card_id: str | None, debt: PastDebt) -> None:
        """Some of the card's oldest debt of an order is repaid."""
        for each in self._by_card.get(card_id, ()):
            if each.left and (each.debt.party, each.debt.order_no) == (debt.party, debt.order_no):
                each.left -= debt.points
                return

    def leave(self, card_id: str | None, merge: PastMerge) -> list[PastDebt]:
        """What is left of the debts that leave the card: all, or what the merge had brought."""
        is_undone = merge.brought is not None
        own = self._by_card.get(card_id, [])
        going = [each for each in own if not is_undone or each.brought_by == merge.reason]
        self._by_card[card_id] = [each for each in own if each not in going]
        left = [replace(each.debt, points=each.left) for each in going if each.left]
        self._gone[card_id, merge.reason] = left
        self._on_the_way = card_id, merge.reason, left
        return left

    def arrive(self, card_id: str | None, merge: PastMerge) -> list[PastDebt]:
        """The debts that a merge brings, which the card has from now on.

        They are what the merge is known to have brought; else what has just left another card of
        the lane; else what left this very card, when the merge is undone from another lane.
        """
        passing, self._on_the_way = self._on_the_way, None
        if merge.brought is not None:
            coming = list(merge.brought)
        elif passing is not None and passing[1] == merge.reason and passing[0] != card_id:
            coming = passing[2]
        else:
            coming = self._gone.pop((card_id, merge.reason), [])
        for debt in coming:
            self.make(card_id, debt, merge.reason)
        return coming
