"""What `node` can find, and the entities that merchants' backends hold."""

from __future__ import annotations

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

from kernel.ids import merchant_of

_HELD_ELSEWHERE = Key(fields=FieldSet("id merchantId"), resolvable=False)


@strawberry.interface(description="Anything that `node` can find by its id.")
class Node:
    """Anything with an id."""

    id: strawberry.ID = strawberry.field(description="TypeID, opaque, for ever.")


@strawberry.federation.type(
    keys=[_HELD_ELSEWHERE],
    description="One member's copy of a coupon template; its merchant holds it.",
)
class Coupon(Node):
    """A coupon, of which the alliance knows the key."""

    id: strawberry.ID = strawberry.field(description="TypeID `cpn_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(
        description="Id of the issuing merchant, or of the alliance's own."
    )

    @classmethod
    def of(cls, coupon_id: str) -> Coupon:
        """The coupon of an id, which embeds its merchant."""
        return cls(id=strawberry.ID(coupon_id), merchant_id=strawberry.ID(merchant_of(coupon_id)))


@strawberry.federation.type(
    keys=[_HELD_ELSEWHERE],
    description="A sale at one merchant; only refunds follow.",
)
class Order(Node):
    """An order, of which the alliance knows the key."""

    id: strawberry.ID = strawberry.field(description="TypeID `ord_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(description="Id of the merchant.")

    @classmethod
    def of(cls, order_id: str) -> Order:
        """The order of an id, which embeds its merchant."""
        return cls(id=strawberry.ID(order_id), merchant_id=strawberry.ID(merchant_of(order_id)))
