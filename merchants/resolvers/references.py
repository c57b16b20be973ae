"""References from one entity to another; what they name loads its own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Parent

from merchants.context import MerchantsInfo
from merchants.resolvers.orders import kept
from merchants.resolvers.parents import MerchantsOwn

if TYPE_CHECKING:
    from merchants.schema.merchants import Merchant, Store
    from merchants.schema.wallets import Membership

# Entities name each other in a circle, so these types are imported when they are needed.
MerchantReference = Annotated["Merchant", strawberry.lazy("merchants.schema.merchants")]
StoreReference = Annotated["Store", strawberry.lazy("merchants.schema.merchants")]
MembershipReference = Annotated["Membership", strawberry.lazy("merchants.schema.wallets")]


def issuer(thing: Parent[MerchantsOwn]) -> MerchantReference | None:
    """The merchant that holds the thing."""
    from merchants.schema.merchants import Merchant

    return Merchant(id=thing.merchant_id)


async def order_store(order: Parent[MerchantsOwn], info: MerchantsInfo) -> StoreReference | None:
    """The store of an order."""
    from merchants.schema.merchants import Store

    return Store(id=strawberry.ID((await kept(order, info)).store_id))


async def order_membership(
    order: Parent[MerchantsOwn], info: MerchantsInfo
) -> MembershipReference | None:
    """The buyer of an order; null for an anonymous one."""
    from merchants.schema.wallets import Membership

    membership_id = (await kept(order, info)).membership_id
    if membership_id is None:
        return None
    return Membership(id=strawberry.ID(membership_id), merchant_id=order.merchant_id)
