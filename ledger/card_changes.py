"""What the ledger is asked and answers about cards that become one, or end: part of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from kernel.refusals import Refusal


@dataclass(frozen=True, slots=True)
class MergeCards:
    """Makes two cards one. Known by `merge_id`; never refused.

    Attributes:
        survivor_card_id: the card that stays.
        merged_card_id: the card that becomes another name of it, for ever.
    """

    merge_id: str
    survivor_card_id: str
    merged_card_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CardsMerged:
    """The two cards are one, or would be.

    Attributes:
        points_after: spendable points of the survivor.
        debt_after: points that it owes.
    """

    merge_id: str
    points_after: int
    debt_after: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class UnmergeCards:
    """Undoes a merge. Known by `merge_id`."""

    merge_id: str
    survivor_card_id: str
    merged_card_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CardsUnmerged:
    """The merged card has its own again."""

    merge_id: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ForfeitCard:
    """Gives up what a card has. Known by `card_id`; never refused."""

    card_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CardForfeited:
    """What the card gave up; what open checkouts held is not part of it."""

    card_id: str
    points: int
    coins_minor: int
    replayed: bool = False


@dataclass(eq=False)
class MergeSpent(Refusal):
    """Some of what the merge moved has been used since, or is held now."""

    retryable: ClassVar[bool] = True


class CardChanging(Protocol):
    """The part of `ledger.contract.Ledger` that is about cards that become one, or end."""

    async def merge_cards(self, request: MergeCards) -> CardsMerged:
        """Moves lots, debts, coins and holds of one card to another; offsets debts.

        Every later request about the merged card is about the survivor.
        """
        ...

    async def preview_merge(self, request: MergeCards) -> CardsMerged:
        """What `merge_cards` would do now; writes nothing."""
        ...

    async def unmerge_cards(self, request: UnmergeCards) -> CardsUnmerged:
        """Moves back what a merge moved.

        Raises:
            MergeSpent: some of it was spent, repaid or taken back, or is held.
        """
        ...

    async def forfeit_card(self, request: ForfeitCard) -> CardForfeited:
        """Takes the free points and coins of a card; they settle as if they had expired."""
        ...
