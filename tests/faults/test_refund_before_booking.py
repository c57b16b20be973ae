"""A refund may be asked for before a sale that was cut off is booked."""

from pathlib import Path

import pytest

from gateway.checkout.carts import RefundLineAsked
from gateway.checkout.refund import RefundAsked, refund
from gateway.checkout.sale import Checkout, checkout
from tests.gateway.checkout.town import START, StandingClock, found_town, run_town


class Killed(BaseException):
    """The process ends here."""


def die_once_placed(step: str) -> None:
    if step == "capture.placed":
        raise Killed


async def test_a_full_refund_before_the_sale_is_booked_returns_the_alliances_coupon(
    tmp_path: Path,
) -> None:
    town = await found_town(tmp_path, StandingClock(START))
    coupon_id = await town.alliance_coupon(500)
    await town.close()
    dying = await run_town(tmp_path, town.names, clock=town.clock, reach=die_once_placed)
    cart = dying.cart(10_000, coupon_ids=(coupon_id,))
    with pytest.raises(Killed):
        await checkout(dying.desk, dying.till(), Checkout("sale", cart, "no-1"))
    await dying.close()

    town = await run_town(tmp_path, town.names, clock=town.clock)
    [(order_id,)] = await town.rows(town.backend.database, "SELECT order_id FROM sale")
    whole = RefundAsked("refund", order_id, "r-1", lines=(RefundLineAsked(0, 1),))
    await refund(town.desk, town.till(), whole)
    await town.sweepers.run_once()

    try:
        assert await town.rows(town.backend.database, "SELECT state FROM coupon") == [("ISSUED",)]
        assert (await town.standing()).available == 0
    finally:
        await town.close()
