"""What a merchant shows of itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from strawberry import Parent

from kernel.clock import to_micros
from kernel.pages import After, Connection, First, connection_of, page_args
from kernel.text import is_clean
from merchants.benefits.terms import early_minutes
from merchants.context import MerchantsInfo
from merchants.coupons.templates_sql import read_template_page
from merchants.policy_sql import read_policy
from merchants.promotions.promotions_sql import read_promotion_page
from merchants.resolvers.parents import KnownById
from merchants.resolvers.refused import not_yours
from merchants.rights import may_act_for
from merchants.sales.orders_sql import read_merchant_page, read_order_by_no
from merchants.schema.orders import Order
from merchants.schema.policies import PricingPolicy
from merchants.schema.promotions import Promotion
from merchants.schema.templates import CouponTemplate
from merchants.schema.tiers import TierLadder
from merchants.tables import NEVER


async def merchant_orders(
    merchant: Parent[KnownById], info: MerchantsInfo, first: First = 20, after: After = None
) -> Connection[Order] | None:
    """Orders, newest first."""
    page = page_args(first, after, key_length=2)
    merchant_id = _own(merchant, info)
    rows = await info.context.backend.database.snapshot(
        lambda connection: read_merchant_page(
            connection, merchant_id, after=page.after, limit=page.limit
        )
    )
    info.context.loaders.keep_orders(rows)
    return connection_of(rows, page, key=lambda row: (row.placed_at, row.order_id), node=Order.of)


async def merchant_order(
    merchant: Parent[KnownById], info: MerchantsInfo, order_no: str
) -> Order | None:
    """The order with this number; None when there is none."""
    merchant_id = _own(merchant, info)
    if not is_clean(order_no):  # No order has such a number, and no database takes it.
        return None
    row = await info.context.backend.database.snapshot(
        lambda connection: read_order_by_no(connection, merchant_id=merchant_id, order_no=order_no)
    )
    if row is None:
        return None
    info.context.loaders.keep_orders([row])
    return Order.of(row)


async def merchant_ladders(
    merchant: Parent[KnownById], info: MerchantsInfo
) -> Sequence[TierLadder] | None:
    """Ladders in force; anyone may read a merchant's promises."""
    found = await info.context.loaders.ladders.load(merchant.id)
    return [TierLadder.of(each, info.context.currency) for each in found]


async def merchant_templates(
    merchant: Parent[KnownById], info: MerchantsInfo, first: First = 20, after: After = None
) -> Connection[CouponTemplate] | None:
    """Coupon templates, newest first."""
    page = page_args(first, after, key_length=2)
    merchant_id, currency = _own(merchant, info), info.context.currency
    rows = await info.context.backend.database.snapshot(
        lambda connection: read_template_page(
            connection, merchant_id, after=page.after, limit=page.limit
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.created_at, row.template_id),
        node=lambda row: CouponTemplate.of(row, currency),
    )


async def merchant_promotions(
    merchant: Parent[KnownById], info: MerchantsInfo, first: First = 20, after: After = None
) -> Connection[Promotion] | None:
    """Promotions, newest first; what has not begun is the merchant's own business.

    A member whose benefit opens flash sales early sees them as early.
    """
    page = page_args(first, after, key_length=2)
    merchant_id, currency = str(merchant.id), info.context.currency
    opens_by, early_by = await _opens_by(merchant_id, info)
    rows = await info.context.backend.database.snapshot(
        lambda connection: read_promotion_page(
            connection,
            merchant_id,
            after=page.after,
            limit=page.limit,
            opens_by=opens_by,
            early_by=early_by,
        )
    )
    return connection_of(
        rows,
        page,
        key=lambda row: (row.created_at, row.promotion.promotion_id),
        node=lambda row: Promotion.of(row.promotion, currency),
    )


async def merchant_policy(merchant: Parent[KnownById], info: MerchantsInfo) -> PricingPolicy | None:
    """Limits of discounts in force."""
    merchant_id = _own(merchant, info)
    policy = await info.context.backend.database.snapshot(
        lambda connection: read_policy(connection, merchant_id)
    )
    return None if policy is None else PricingPolicy.of(policy)


async def _opens_by(merchant_id: str, info: MerchantsInfo) -> tuple[int, int]:
    """By when promotions must open to be shown to the caller, and by when flash sales."""
    caller, now = info.context.caller, info.context.backend.clock.now()
    if may_act_for(caller, merchant_id):
        return NEVER, NEVER
    if caller is None or caller.card_id is None:
        return to_micros(now), to_micros(now)
    tiers = await info.context.loaders.tiers.load((merchant_id, caller.card_id))
    minutes = early_minutes([each.benefit for each in tiers.benefits])
    return to_micros(now), to_micros(now + timedelta(minutes=minutes))


def _own(merchant: KnownById, info: MerchantsInfo) -> str:
    if not may_act_for(info.context.caller, merchant.id):
        raise not_yours()
    return merchant.id
