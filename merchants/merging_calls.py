"""What a backend is asked about wallets that become one, or end: part of `merchants.port`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class MergeWallets:
    """Two cards become one. Known by `merge_id`.

    Attributes:
        survivor_card_id: the card that stays.
        survivor_membership_id: None when it had not joined here, or at the alliance's own.
        merged_card_id: the card that becomes another name of it.
        merged_membership_id: as for the survivor.
        dry_run: only tell what would be.
    """

    merchant_id: str
    merge_id: str
    survivor_card_id: str
    survivor_membership_id: str | None
    merged_card_id: str
    merged_membership_id: str | None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class WalletsMerged:
    """The wallets are one, or would be, or are two again.

    Attributes:
        coupons_moved: usable coupons that change hands.
        paid_refunds_minor: in a preview, what of paid memberships would be refunded.
    """

    replayed: bool
    coupons_moved: int
    paid_refunds_minor: int = 0


class ForgetsWallets(Protocol):
    """A backend forgets the cards of erased members; the part of `Backend` that does it."""

    async def forget(self, merchant_id: str, card_id: str) -> None:
        """The card gets nothing any more, and what it could still use is void; now or before."""
        ...
