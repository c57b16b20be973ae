"""Which transport reaches a merchant's backend, and what of the merchants schema names one."""

from __future__ import annotations

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.federation.transport import Transport
from gateway.transports.shard_routes import ByArgument, FixedShard
from gateway.transports.sharded import ShardedTransport
from kernel.ids import merchant_of

SHARD_KEYS: dict[str, str | FixedShard] = {
    "Membership": "merchantId",
    "Coupon": "merchantId",
    "Order": "merchantId",
    "Merchant": "id",
    "Card": FixedShard(ALLIANCE_MERCHANT_ID),
}
"""The field of each entity that names its merchant; a card's alliance wallet is the alliance's."""

ROUTES = {
    "setTierLadder": ByArgument(("input", "merchantId")),
    "createCouponTemplate": ByArgument(("input", "merchantId")),
    "issueCoupons": ByArgument(("input", "templateId"), merchant_of),
}
"""The argument of each root field that names its merchant, or an id that embeds it."""


class MerchantShards:
    """Finds the transport of a merchant's backend.

    The hosted backend answers for every merchant that is not elsewhere, and refuses an id that it
    does not know.
    """

    def __init__(self, hosted: Transport) -> None:
        self._hosted = hosted

    def shard_of(self, key: str) -> Transport:
        """The transport of that merchant's backend."""
        return self._hosted


def merchants_transport(hosted: Transport) -> ShardedTransport:
    """The way to the merchants subgraph, whatever the number of backends behind it."""
    return ShardedTransport(
        MerchantShards(hosted),
        shard_keys=SHARD_KEYS,
        routes=ROUTES,
        extension_name="merchantId",
    )
