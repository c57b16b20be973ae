"""Fills the fields of a checkout."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import strawberry

from gateway.checkout import checkouts_sql
from gateway.checkout.rights import may_use_checkout
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import CheckoutState
from gateway.resolvers.context import AllianceContext, AllianceInfo
from gateway.schema import checkouts as types
from gateway.schema.nodes import Order
from kernel.graphql import Money

if TYPE_CHECKING:
    from gateway.schema.checkouts import Checkout
    from gateway.schema.nodes import Node


async def checkout_state(root: strawberry.Parent[Checkout], info: AllianceInfo) -> CheckoutState:
    """State now."""
    return (await _saved(root, info)).state


async def checkout_expires_at(root: strawberry.Parent[Checkout], info: AllianceInfo) -> datetime:
    """When it is released; when it was to be, once decided."""
    saved = await _saved(root, info)
    if saved.state is not CheckoutState.HELD:
        return saved.expires_at
    desk = info.context.alliance.desk
    seconds_left = desk.time_outs.seconds_left(
        saved.id, monotonic=desk.clock.monotonic(), is_extended=saved.is_extended
    )
    return desk.clock.now() + timedelta(seconds=seconds_left)


async def checkout_payable(root: strawberry.Parent[Checkout], info: AllianceInfo) -> Money:
    """Cash to collect."""
    saved = await _saved(root, info)
    currency = info.context.alliance.settings.values.currency
    return Money.of(saved.agreed.payable_minor, currency)


async def checkout_order(root: strawberry.Parent[Checkout], info: AllianceInfo) -> Order | None:
    """The order; None until captured."""
    saved = await _saved(root, info)
    return Order.of(saved.order_id) if saved.state is CheckoutState.CAPTURED else None


async def checkout_by_id(context: AllianceContext, checkout_id: str) -> Node | None:
    """The checkout of an id; None when there is none that the caller may use."""
    saved = await context.alliance.database.snapshot(
        lambda connection: checkouts_sql.read_checkout(connection, checkout_id)
    )
    if saved is None or not may_use_checkout(context.caller, saved):
        return None
    return types.Checkout(id=strawberry.ID(checkout_id))


async def _saved(root: Checkout, info: AllianceInfo) -> SavedCheckout:
    """The checkout as it is kept, read once for all its fields."""
    if root.reading is None:
        root.reading = asyncio.ensure_future(_read(info.context, root.id))
    return await root.reading


async def _read(context: AllianceContext, checkout_id: str) -> SavedCheckout:
    saved = await context.alliance.database.snapshot(
        lambda connection: checkouts_sql.read_checkout(connection, checkout_id)
    )
    assert saved is not None
    return saved
