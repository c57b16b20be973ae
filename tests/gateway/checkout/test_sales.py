import pytest

from gateway.checkout.capture import CaptureCheckout, capture
from gateway.checkout.carts import RefundLineAsked
from gateway.checkout.hold import HoldCheckout, hold
from gateway.checkout.quote import quote
from gateway.checkout.refund import RefundAsked, refund
from gateway.checkout.sale import Checkout, checkout
from tests.gateway.checkout.town import Town

pytestmark = pytest.mark.both_databases


async def test_a_sale_earns_points_at_once(town: Town) -> None:
    sold = await checkout(
        town.desk, town.till(), Checkout(town.request_id(), town.cart(12_345), "no-1")
    )

    assert not sold.replayed
    assert (await town.standing()).available == 123


async def test_the_worked_example_of_points_coupon_and_refund(town: Town) -> None:
    await checkout(town.desk, town.till(), Checkout(town.request_id(), town.cart(50_000), "no-0"))
    coupon_id = await town.coupon(1_000)
    cart = town.cart(3_333, 3_333, 3_334, coupon_ids=(coupon_id,), points=500)
    quoted = await quote(town.desk, town.till(), cart)
    held = await hold(
        town.desk, town.till(), HoldCheckout(town.request_id(), cart, quoted.priced.version)
    )
    assert (await town.standing()).held == 500
    sold = await capture(
        town.desk, town.till(), CaptureCheckout(town.request_id(), held.checkout_id, "no-1")
    )
    refunded = await refund(
        town.desk,
        town.till(),
        RefundAsked(town.request_id(), sold.order_id, "r-1", lines=(RefundLineAsked(2, 1),)),
    )

    assert quoted.priced.payable_minor == 8_500
    assert quoted.priced.points_to_earn == 85
    assert refunded.figures.cash_minor == 2_834
    assert refunded.figures.points_returned == 166
    assert refunded.figures.points_clawed_back == 29
