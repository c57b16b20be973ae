"""What backends are asked about the wallets of a merge."""

from __future__ import annotations

from gateway.merging.merges_sql import Merge, WalletPair
from merchants.port import MergeWallets


def wallet_of(merge: Merge, pair: WalletPair) -> MergeWallets:
    """What one merchant's backend is asked for a merge."""
    return pair_wallet(
        merge.id, pair, survivor_card=merge.survivor_card_id, merged_card=merge.merged_card_id
    )


def pair_wallet(
    merge_id: str, pair: WalletPair, *, survivor_card: str, merged_card: str
) -> MergeWallets:
    """The same for a merge that may be to come."""
    return MergeWallets(
        merchant_id=pair.merchant_id,
        merge_id=merge_id,
        survivor_card_id=survivor_card,
        survivor_membership_id=pair.survivor_membership_id,
        merged_card_id=merged_card,
        merged_membership_id=pair.merged_membership_id,
    )
