"""Finds the object of an id, by the prefix that tells its kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import strawberry

from gateway.directory.health import BackendSilent
from gateway.resolvers import merchants
from gateway.resolvers.checkout_fields import checkout_by_id
from gateway.resolvers.context import AllianceContext, AllianceInfo
from gateway.resolvers.memberships import membership_if_visible
from gateway.schema.members import Card, Member, Membership
from gateway.schema.nodes import Coupon, Node, Order
from kernel.callers import CallerKind
from kernel.database import DatabaseUnavailable, Overloaded
from kernel.ids import is_id, merchant_of, prefix_of

NodeLoader = Callable[[AllianceContext, str], Awaitable[Node | None]]


async def node(info: AllianceInfo, id: strawberry.ID) -> Node | None:
    """The object of an id; None when there is none that the caller may see."""
    _ = info.context.caller
    load = NODE_LOADERS.get(prefix_of(id))
    return None if load is None else await load(info.context, id)


async def _member(context: AllianceContext, member_id: str) -> Node | None:
    member = await context.loaders.member.load(member_id)
    if member is None or not await context.may_see_standing(member_id):
        return None
    return Member(id=strawberry.ID(member.id), is_shown=True)


async def _card(context: AllianceContext, card_id: str) -> Node | None:
    card = await context.loaders.card.load(card_id)
    if card is None or not await context.may_see_standing(card.member_id):
        return None
    return Card(id=strawberry.ID(card.id), is_shown=True)


async def _membership(context: AllianceContext, membership_id: str) -> Node | None:
    kept = await membership_if_visible(context, membership_id)
    return None if kept is None else Membership.of(kept)


async def _merchant(context: AllianceContext, merchant_id: str) -> Node | None:
    return merchants.merchant_by_id(context, merchant_id)


async def _store(context: AllianceContext, store_id: str) -> Node | None:
    return merchants.store_by_id(context, store_id)


async def _order(context: AllianceContext, order_id: str) -> Node | None:
    if not is_id(order_id, "ord", within_merchant=True):
        return None
    merchant_id = merchant_of(order_id)
    try:
        [order] = await context.alliance.backend.orders([(merchant_id, order_id)])
    except (DatabaseUnavailable, Overloaded) as error:
        raise BackendSilent(merchant_id) from error
    if order is None or not await _may_see(context, merchant_id, holder=order.card_id):
        return None
    return Order.of(order_id)


async def _coupon(context: AllianceContext, coupon_id: str) -> Node | None:
    if not is_id(coupon_id, "cpn", within_merchant=True):
        return None
    merchant_id = merchant_of(coupon_id)
    try:
        [holder] = await context.alliance.backend.coupon_holders([(merchant_id, coupon_id)])
    except (DatabaseUnavailable, Overloaded) as error:
        raise BackendSilent(merchant_id) from error
    if holder is None or not await _may_see(context, merchant_id, holder=holder):
        return None
    return Coupon.of(coupon_id)


async def _may_see(context: AllianceContext, merchant_id: str, *, holder: str | None) -> bool:
    """Whether the caller is the merchant, an admin, or the member whose card it is."""
    caller = context.caller
    if caller.kind is not CallerKind.MEMBER:
        return caller.may_act_for(merchant_id)
    card = await context.loaders.card_of_member.load(caller.subject)
    return card is not None and card.id == holder


NODE_LOADERS: dict[str, NodeLoader] = {
    "mem": _member,
    "card": _card,
    "mbs": _membership,
    "mer": _merchant,
    "sto": _store,
    "ord": _order,
    "cpn": _coupon,
    "chk": checkout_by_id,
}
"""By prefix; a group of fields with nodes of its own adds them here."""
