"""An order in GraphQL."""

from __future__ import annotations

import strawberry

from merchants.resolvers import orders as resolve
from merchants.resolvers.references import issuer, order_membership, order_store
from merchants.sales.orders_sql import OrderRow


@strawberry.federation.type(
    keys=["id merchantId"], description="A sale at one merchant; only refunds follow."
)
class Order:
    """An order."""

    id: strawberry.ID = strawberry.field(description="TypeID `ord_…`; embeds the merchant.")
    merchant_id: strawberry.ID = strawberry.field(description="Id of the merchant.")
    merchant = strawberry.field(
        resolver=issuer, description="The merchant. Null only with an error."
    )
    store = strawberry.field(
        resolver=order_store, description="The store. Null only with an error."
    )
    membership = strawberry.field(
        resolver=order_membership,
        description="The buyer at this merchant; null for an anonymous buyer.",
    )
    order_no = strawberry.field(
        resolver=resolve.order_no,
        description="The merchant's number, unique there. Null only with an error.",
    )
    state = strawberry.field(
        resolver=resolve.order_state, description="State. Null only with an error."
    )
    placed_at = strawberry.field(
        resolver=resolve.order_placed_at,
        description="When it was paid. Null only with an error.",
    )
    channel = strawberry.field(
        resolver=resolve.order_channel,
        description="Kind of point of sale. Null only with an error.",
    )
    list = strawberry.field(
        resolver=resolve.order_list,
        description="Lines at public unit prices. Null only with an error.",
    )
    payable = strawberry.field(
        resolver=resolve.order_payable,
        description="Cash paid, shipping included, before refunds. Null only with an error.",
    )
    refunded = strawberry.field(
        resolver=resolve.order_refunded,
        description="Cash refunded so far. Null only with an error.",
    )
    points_spent = strawberry.field(
        resolver=resolve.order_points_spent,
        description="Points spent. Null only with an error.",
    )
    coins_spent = strawberry.field(
        resolver=resolve.order_coins_spent, description="Coins spent. Null only with an error."
    )
    points_earned = strawberry.field(
        resolver=resolve.order_points_earned,
        description="Points earned when placed, before claw-backs. Null only with an error.",
    )
    lines = strawberry.field(
        resolver=resolve.order_lines,
        description="Lines in cart order. Null only with an error.",
    )
    decisions = strawberry.field(
        resolver=resolve.order_decisions,
        description="Every benefit considered. Null only with an error.",
    )

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, merchantId: strawberry.ID) -> Order:
        """The order that a key names; its fields load."""
        return cls(id=id, merchant_id=merchantId)

    @classmethod
    def of(cls, order: OrderRow) -> Order:
        """The GraphQL object of an order."""
        return cls(id=strawberry.ID(order.order_id), merchant_id=strawberry.ID(order.merchant_id))
