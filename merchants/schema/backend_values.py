"""Inputs of the backend contract as the rules take them."""

from __future__ import annotations

from kernel.graphql import MoneyInput
from kernel.refusals import InvalidInput
from merchants.coupons.template_life import PartialRefundRule
from merchants.offers import CouponTerms, OfferedCoupon
from merchants.port import PriceCart, RefundOrder
from merchants.schema.backend_inputs import (
    BackendOfferInput,
    BackendPriceInput,
    BackendRefundInput,
)
from merchants.schema.offers import (
    cart_lines,
    currency_problems,
    line_amounts,
    minor_of,
    refund_line_values,
)


def cart_of(input: BackendPriceInput, currency: str) -> PriceCart:
    """The cart as the rules take it.

    Raises:
        InvalidInput: an amount is not in the alliance's currency.
    """
    amounts: list[tuple[str, MoneyInput | None]] = [
        *line_amounts(input.lines),
        ("shipping", input.shipping),
        ("coins", input.coins),
        ("coinsAvailable", input.coins_available),
    ]
    for index, offer in enumerate(input.alliance_coupons or ()):
        path = f"allianceCoupons.{index}"
        amounts += [
            (f"{path}.amount", offer.amount),
            (f"{path}.cap", offer.cap),
            (f"{path}.minSpend", offer.min_spend),
        ]
        if offer.gift_zone is not None:
            amounts += offer.gift_zone.amounts(f"{path}.giftZone")
    require_currency(amounts, currency)
    return PriceCart(
        merchant_id=input.merchant_id,
        store_id=input.store_id,
        channel=input.channel.value,
        at=input.at,
        lines=cart_lines(input.lines),
        member_point_value=input.member_point_value,
        points_cap_bps=input.points_cap_bps,
        earn_points_per_major_unit=input.earn_points_per_major_unit,
        membership_id=input.membership_id,
        card_id=input.card_id,
        coupon_ids=tuple(input.coupon_ids or ()),
        choose_best=input.choose_best,
        shipping_minor=minor_of(input.shipping) or 0,
        points=input.points or 0,
        coins_minor=minor_of(input.coins) or 0,
        points_available=input.points_available,
        coins_available_minor=minor_of(input.coins_available) or 0,
        alliance_coupons=tuple(
            _offer(each, input.merchant_id) for each in input.alliance_coupons or ()
        ),
        alliance_rank=input.alliance_rank,
    )


def _offer(offer: BackendOfferInput, merchant_id: str) -> OfferedCoupon:
    channels = offer.channels
    return OfferedCoupon(
        coupon_id=offer.coupon_id,
        merchant_id=merchant_id,
        terms=CouponTerms(
            title=offer.title,
            kind=offer.kind,
            min_spend_minor=offer.min_spend.amount_minor,
            amount_minor=minor_of(offer.amount),
            percent_off_bps=offer.percent_off_bps,
            cap_minor=minor_of(offer.cap),
            skus=None if offer.skus is None else tuple(offer.skus),
            category_ids=None if offer.category_ids is None else tuple(offer.category_ids),
            channels=None if channels is None else tuple(each.value for each in channels),
            stacking_group=offer.stacking_group,
            funder_alliance_bps=offer.funder_alliance_bps,
            zone=None if offer.gift_zone is None else offer.gift_zone.zone(),
        ),
        is_rechecked=offer.on_partial_refund is PartialRefundRule.RECHECK_MIN_SPEND,
    )


def refund_of(input: BackendRefundInput, currency: str) -> RefundOrder:
    """The refund as the rules take it.

    Raises:
        InvalidInput: the amount is not in the alliance's currency.
    """
    require_currency([("amount", input.amount)], currency)
    return RefundOrder(
        merchant_id=input.merchant_id,
        order_id=input.order_id,
        refund_no=input.refund_no,
        lines=refund_line_values(input.lines),
        amount_minor=minor_of(input.amount),
    )


def require_currency(amounts: list[tuple[str, MoneyInput | None]], currency: str) -> None:
    """Refuses amounts that are not in the alliance's currency.

    Raises:
        InvalidInput: there are such; all of them are told.
    """
    problems = currency_problems(amounts, currency)
    if problems:
        raise InvalidInput(problems)
