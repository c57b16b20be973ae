"""All that others may import of the ledger: what it can be asked, and what it answers.

Amounts are whole: points, and minor units of the alliance's currency for coins and money. Every
write is known by a key that is derived from what it settles (order, refund, attempt), so that a
repeat gets the first receipt with `replayed` set and changes nothing. Instants are aware UTC.

A key belongs to one card for ever: the caller sees to it that it never comes with another one that
is not the same card under another name. The books look for a key where they look for the card, in
its lane and in those of the cards that it was ever made one with, and would book it a second time
elsewhere. Who renames a card tells the ledger first (`merge_cards`, `unmerge_cards`) and whoever
keeps what keys are made of afterwards. See docs/decisions/ledger.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from kernel.refusals import Refusal
from ledger.card_changes import CardChanging
from ledger.card_changes import CardForfeited as CardForfeited
from ledger.card_changes import CardsMerged as CardsMerged
from ledger.card_changes import CardsUnmerged as CardsUnmerged
from ledger.card_changes import ForfeitCard as ForfeitCard
from ledger.card_changes import MergeCards as MergeCards
from ledger.card_changes import MergeSpent as MergeSpent
from ledger.card_changes import UnmergeCards as UnmergeCards
from ledger.requests import GRANT_BUDGET_MINOR as GRANT_BUDGET_MINOR
from ledger.requests import ApplyRefund as ApplyRefund
from ledger.requests import CaptureOrder as CaptureOrder
from ledger.requests import CardStanding as CardStanding
from ledger.requests import CoinsReceipt as CoinsReceipt
from ledger.requests import CouponRedemption as CouponRedemption
from ledger.requests import DebtPolicy as DebtPolicy
from ledger.requests import FundsHeld as FundsHeld
from ledger.requests import FundsReleased as FundsReleased
from ledger.requests import GrantCoins as GrantCoins
from ledger.requests import HoldFunds as HoldFunds
from ledger.requests import LedgerSettings as LedgerSettings
from ledger.requests import OrderReceipt as OrderReceipt
from ledger.requests import RefundReceipt as RefundReceipt
from ledger.requests import ReleaseFunds as ReleaseFunds


@dataclass(eq=False)
class InsufficientPoints(Refusal):
    """The card has fewer spendable points than asked."""

    available: int
    requested: int


@dataclass(eq=False)
class InsufficientCoins(Refusal):
    """The card has fewer spendable coins than asked.

    Attributes:
        available_coins: minor units.
        requested_coins: minor units.
    """

    available_coins: int
    requested_coins: int


@dataclass(eq=False)
class DebtOpen(Refusal):
    """Points cannot be spent while points are owed."""

    debt: int


@dataclass(eq=False)
class AttemptReleased(Refusal):
    """The attempt was released; a new one is needed."""


@dataclass(eq=False)
class GrantOverBudget(Refusal):
    """The funder's budget does not cover the grant."""

    budget_left_minor: int


@dataclass(eq=False)
class OrderUnknown(Refusal):
    """The ledger has not heard of the order yet."""

    order_id: str
    retryable: ClassVar[bool] = True


class KeyReused(AssertionError):
    """A key came back with another body: a bug of the caller, never of a member."""


class Unbookable(AssertionError):
    """The books can not take this one event: a bug, of the ledger or of its caller.

    Nothing of it was kept; other events are not affected.
    """


class Ledger(CardChanging, Protocol):
    """The ledger, as the rest of the alliance sees it.

    Every method may raise `kernel.database.DatabaseUnavailable`, and every write
    `kernel.database.Overloaded`; nothing was kept then, and the same request may be repeated.
    A write raises `KeyReused` when its key came with another body before, and `Unbookable` when
    the books object to it.
    """

    async def hold(self, request: HoldFunds) -> FundsHeld:
        """Holds the funds, all or nothing.

        Refusals are kept: a repeat of the attempt gets the same one.

        Raises:
            InsufficientPoints: fewer points are spendable.
            InsufficientCoins: fewer coins are spendable.
            DebtOpen: points are asked for while points are owed.
            AttemptReleased: the attempt was released.
        """
        ...

    async def release(self, request: ReleaseFunds) -> FundsReleased:
        """Frees what the attempt holds; a captured attempt stays captured."""
        ...

    async def capture_order(self, request: CaptureOrder) -> OrderReceipt:
        """Books a paid order; what its hold no longer covers is taken anew, or absorbed."""
        ...

    async def apply_refund(self, request: ApplyRefund) -> RefundReceipt:
        """Books a refund.

        Raises:
            OrderUnknown: the order was not captured yet; retry later.
        """
        ...

    async def preview_refund(self, request: ApplyRefund) -> RefundReceipt:
        """What `apply_refund` would do now; writes nothing, and ignores `refund_no`.

        Raises:
            OrderUnknown: the order was not captured yet.
        """
        ...

    async def grant_coins(self, request: GrantCoins) -> CoinsReceipt:
        """Gives coins to a card.

        Raises:
            GrantOverBudget: the funder's budget of the period is used up.
        """
        ...

    async def balances(self, card_ids: Sequence[str], *, now: datetime) -> list[CardStanding]:
        """What each card has, in the order of `card_ids`; zeros for an unknown card.

        Args:
            card_ids: may repeat.
        """
        ...

    async def has_entries(self) -> bool:
        """Whether anything was ever booked; from then on the currency stays."""
        ...
