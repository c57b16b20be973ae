"""Values of the directory: merchants, stores, backends. See docs/rules/merchants.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.graphql import ChannelKind
from kernel.ids import derived_id

RETURN_WINDOW = timedelta(days=30)
"""How long after a merchant left its deposit still stands for refunds."""

ALLIANCE_MERCHANT_ID = derived_id("mer", "alliance")
"""The alliance as a merchant: the same id in every alliance."""


class MerchantState(StrEnum):
    """State of a merchant in the alliance."""

    APPLIED = "APPLIED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    WINDING_DOWN = "WINDING_DOWN"
    LEFT = "LEFT"


class BackendKind(StrEnum):
    """Where a merchant's data lives."""

    HOSTED = "HOSTED"
    REMOTE = "REMOTE"


class StoreState(StrEnum):
    """State of a store."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant.

    Attributes:
        reference: the alliance's own number for it.
        endpoint: URL of a remote backend; None when hosted.
        redeem_until: from when on it sells no more; None unless it is leaving.
        left_at: when it left; None before.
    """

    id: str
    reference: str
    name: str
    name_en: str | None
    state: MerchantState
    backend_kind: BackendKind
    endpoint: str | None
    admitted_at: datetime
    redeem_until: datetime | None = None
    left_at: datetime | None = None

    @property
    def is_alliance(self) -> bool:
        """Whether this is the alliance itself."""
        return self.id == ALLIANCE_MERCHANT_ID

    @property
    def may_enrol(self) -> bool:
        """Whether people may join it.

        Source: docs/rules/merchants.md, rule 3.
        """
        return self.state is MerchantState.ACTIVE

    @property
    def is_leaving(self) -> bool:
        """Whether it has announced its end, or left: it issues nothing any more.

        Source: docs/rules/merchants.md, rule 8.
        """
        return self.redeem_until is not None

    @property
    def deposit_held_until(self) -> datetime | None:
        """Until when a leaving merchant's deposit stays; None of any other.

        Source: docs/rules/merchants.md, rule 9.
        """
        leaves_at = self.left_at or self.redeem_until
        return None if leaves_at is None else leaves_at + RETURN_WINDOW

    def has_wound_down(self, now: datetime) -> bool:
        """Whether the merchant's redemption has ended."""
        return self.redeem_until is not None and self.redeem_until <= now

    def may_sell(self, now: datetime) -> bool:
        """Whether the merchant sells to members.

        Source: docs/rules/merchants.md, rules 7 and 8.
        """
        if self.state is MerchantState.WINDING_DOWN:
            return not self.has_wound_down(now)
        return self.state is MerchantState.ACTIVE


@dataclass(frozen=True, slots=True)
class Store:
    """A point of sale of one merchant.

    Attributes:
        reference: the merchant's own number for it.
    """

    id: str
    merchant_id: str
    reference: str
    name: str
    channel: ChannelKind
    state: StoreState
    opened_at: datetime
