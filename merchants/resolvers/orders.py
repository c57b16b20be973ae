"""Fields of an order; one read for all orders of the request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from strawberry import Parent

from kernel.clock import from_micros
from kernel.graphql import ChannelKind, Long, Money
from merchants.context import MerchantsInfo
from merchants.port import OrderState
from merchants.resolvers.parents import MerchantsOwn
from merchants.resolvers.refused import not_yours
from merchants.rights import may_see_wallet
from merchants.sales.orders_sql import OrderRow
from merchants.schema.offers import BenefitDecision, PricedLine
from merchants.stored import decisions_from_json, lines_from_json, load


async def kept(order: MerchantsOwn, info: MerchantsInfo) -> OrderRow:
    """The order, which the caller may see."""
    found = await info.context.loaders.orders.load((order.merchant_id, order.id))
    if found is None or not may_see_wallet(
        info.context.caller, merchant_id=found.merchant_id, card_id=found.card_id
    ):
        raise not_yours()
    return found


async def order_no(order: Parent[MerchantsOwn], info: MerchantsInfo) -> str | None:
    """The merchant's number."""
    return (await kept(order, info)).order_no


async def order_state(order: Parent[MerchantsOwn], info: MerchantsInfo) -> OrderState | None:
    """Its state."""
    return OrderState((await kept(order, info)).state)


async def order_placed_at(order: Parent[MerchantsOwn], info: MerchantsInfo) -> datetime | None:
    """When it was paid."""
    return from_micros((await kept(order, info)).placed_at)


async def order_channel(order: Parent[MerchantsOwn], info: MerchantsInfo) -> ChannelKind | None:
    """Kind of point of sale."""
    return ChannelKind((await kept(order, info)).channel)


async def order_list(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """Lines at public unit prices."""
    return Money.of((await kept(order, info)).list_minor, info.context.currency)


async def order_payable(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """Cash paid."""
    return Money.of((await kept(order, info)).payable_minor, info.context.currency)


async def order_refunded(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """Cash refunded so far."""
    return Money.of((await kept(order, info)).refunded_minor, info.context.currency)


async def order_points_spent(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Long | None:
    """Points spent."""
    return Long((await kept(order, info)).points_spent)


async def order_coins_spent(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """Coins spent."""
    return Money.of((await kept(order, info)).coins_spent_minor, info.context.currency)


async def order_points_earned(order: Parent[MerchantsOwn], info: MerchantsInfo) -> Long | None:
    """Points earned when placed."""
    return Long((await kept(order, info)).points_earned)


async def order_lines(
    order: Parent[MerchantsOwn], info: MerchantsInfo
) -> Sequence[PricedLine] | None:
    """Lines in cart order."""
    found = await kept(order, info)
    return [
        PricedLine.of(line, info.context.currency) for line in lines_from_json(load(found.lines))
    ]


async def order_decisions(
    order: Parent[MerchantsOwn], info: MerchantsInfo
) -> Sequence[BenefitDecision] | None:
    """Every benefit considered."""
    found = await kept(order, info)
    return [
        BenefitDecision.of(each, info.context.currency, info.context.language)
        for each in decisions_from_json(load(found.decisions))
    ]
