"""Fields of a coupon; one read for all coupons of the request."""

from __future__ import annotations

from datetime import datetime

from strawberry import Parent

from kernel.clock import from_micros, to_micros
from kernel.graphql import Money
from merchants.context import MerchantsInfo
from merchants.coupons.coupons_sql import HeldCoupon
from merchants.coupons.templates import CouponState
from merchants.offers import CouponKind
from merchants.resolvers.parents import MerchantsOwn
from merchants.resolvers.refused import not_yours
from merchants.rights import may_see_wallet
from merchants.schema.coupon_shares import CouponShare
from merchants.schema.gift_zones import GiftZone
from merchants.schema.offers import money_or_none
from merchants.tables import NEVER


async def held(coupon: MerchantsOwn, info: MerchantsInfo) -> HeldCoupon:
    """The coupon, which the caller may see: its own, its issuer's, or one its till presented."""
    loaders = info.context.loaders
    key = (coupon.merchant_id, coupon.id)
    found = await loaders.coupons.load(key)
    if found is None:
        raise not_yours()
    caller = info.context.caller
    if may_see_wallet(caller, merchant_id=found.merchant_id, card_id=found.card_id):
        return found
    if not await loaders.coupons_shown.load(key):
        raise not_yours()
    return found


async def coupon_code(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> str | None:
    """What staff or a scanner reads."""
    return (await held(coupon, info)).code


async def coupon_title(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> str | None:
    """Name, for people."""
    return (await held(coupon, info)).terms.title


async def coupon_kind(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> CouponKind | None:
    """What it does."""
    return (await held(coupon, info)).terms.kind


async def coupon_state(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> CouponState | None:
    """Its state at this instant."""
    found = await held(coupon, info)
    return found.state_at(to_micros(info.context.backend.clock.now()))


async def coupon_void_reason(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> str | None:
    """Why it was withdrawn."""
    return (await held(coupon, info)).void_reason


async def coupon_share(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> CouponShare | None:
    """Its open share code, for its holder alone: whoever has the code can claim the coupon."""
    found = await held(coupon, info)
    now = to_micros(info.context.backend.clock.now())
    caller = info.context.caller
    is_open = found.share_until is not None and found.share_until > now
    if not is_open or caller is None or caller.card_id != found.card_id:
        return None
    assert found.share_code is not None
    assert found.share_until is not None
    return CouponShare(code=found.share_code, expires_at=from_micros(found.share_until))


async def coupon_amount(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """What it takes off."""
    found = await held(coupon, info)
    return money_or_none(found.terms.amount_minor, info.context.currency)


async def coupon_percent(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> int | None:
    """What it takes off, basis points."""
    return (await held(coupon, info)).terms.percent_off_bps


async def coupon_cap(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """The most it takes off."""
    found = await held(coupon, info)
    return money_or_none(found.terms.cap_minor, info.context.currency)


async def coupon_min_spend(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> Money | None:
    """Spending it needs."""
    found = await held(coupon, info)
    return Money.of(found.terms.min_spend_minor, info.context.currency)


async def coupon_gift_zone(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> GiftZone | None:
    """What it gives."""
    zone = (await held(coupon, info)).terms.zone
    return None if zone is None else GiftZone.of(zone, info.context.currency)


async def coupon_valid_from(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> datetime | None:
    """First instant."""
    return from_micros((await held(coupon, info)).valid_from)


async def coupon_valid_until(coupon: Parent[MerchantsOwn], info: MerchantsInfo) -> datetime | None:
    """Last instant, exclusive."""
    valid_until = (await held(coupon, info)).valid_until
    return None if valid_until == NEVER else from_micros(valid_until)
