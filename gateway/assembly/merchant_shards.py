"""Splits what is asked of the merchants subgraph by the merchant it concerns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.federation.transport import Transport
from gateway.transports.shard_routes import ByArgument, FixedShard
from gateway.transports.sharded import ShardedTransport
from kernel.ids import MalformedId, merchant_of


def _merchant_of_id(value: Any) -> str:
    """The merchant that an id embeds; one that embeds none goes where nothing has that id."""
    if not isinstance(value, str):
        raise ValueError("an id is text")
    try:
        return merchant_of(value)
    except MalformedId:
        return value


ROUTES = {
    "setTierLadder": ByArgument(("input", "merchantId")),
    "createCouponTemplate": ByArgument(("input", "merchantId")),
    "setPromotion": ByArgument(("input", "merchantId")),
    "setPricingPolicy": ByArgument(("input", "merchantId")),
    "setTierPolicy": ByArgument(("input", "merchantId")),
    "setAllianceWeights": ByArgument(("input", "merchantId")),
    "setGrowthTask": ByArgument(("input", "merchantId")),
    "recordTask": ByArgument(("input", "merchantId")),
    "setPaidPlan": ByArgument(("input", "merchantId")),
    "sellPaidMembership": ByArgument(("input", "merchantId")),
    "refundPaidMembership": ByArgument(("input", "paidMembershipId"), _merchant_of_id),
    "issueCoupons": ByArgument(("input", "templateId"), _merchant_of_id),
    "setCouponTemplateState": ByArgument(("input", "templateId"), _merchant_of_id),
    "voidCoupons": ByArgument(("input", "merchantId")),
    "shareCoupon": ByArgument(("input", "couponId"), _merchant_of_id),
    "takeBackCoupon": ByArgument(("input", "couponId"), _merchant_of_id),
}
"""Where each public root field of the merchants subgraph names its merchant."""


def shard_keys(alliance_merchant_id: str) -> dict[str, str | FixedShard]:
    """Which key field of each entity type names its merchant."""
    return {
        "Membership": "merchantId",
        "Coupon": "merchantId",
        "Order": "merchantId",
        "Merchant": "id",
        # A card's own wallet is the alliance's, which is a merchant too.
        "Card": FixedShard(alliance_merchant_id),
    }


class MerchantShards:
    """Finds the transport of each merchant's backend.

    Args:
        transport_of: the transport for a merchant id.
    """

    def __init__(self, transport_of: Callable[[str], Transport]) -> None:
        self._transport_of = transport_of

    def shard_of(self, key: str) -> Transport:
        """The transport of the merchant's backend.

        Raises:
            TransportFailed: it is known to be down.
        """
        return self._transport_of(key)


def merchants_transport(
    transport_of: Callable[[str], Transport], *, alliance_merchant_id: str
) -> ShardedTransport:
    """The merchants subgraph as the engine sees it: one, however many backends there are."""
    return ShardedTransport(
        MerchantShards(transport_of),
        shard_keys=shard_keys(alliance_merchant_id),
        routes=ROUTES,
        extension_name="merchantId",
    )
