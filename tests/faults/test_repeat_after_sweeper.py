"""A sale that was cut off and that a sweeper finished is answered as if nothing had happened."""

from pathlib import Path

import pytest

from gateway.checkout.sale import Checkout, checkout
from tests.gateway.checkout.town import START, StandingClock, found_town, run_town


class Killed(BaseException):
    """The process ends here."""


def die_once_placed(step: str) -> None:
    if step == "capture.placed":
        raise Killed


async def test_a_repeat_gets_the_sale_that_a_sweeper_finished_though_the_member_is_frozen_by_now(
    tmp_path: Path,
) -> None:
    town = await found_town(tmp_path, StandingClock(START))
    await town.close()
    dying = await run_town(tmp_path, town.names, clock=town.clock, reach=die_once_placed)
    sale = Checkout("sale", dying.cart(10_000), "no-1")
    with pytest.raises(Killed):
        await checkout(dying.desk, dying.till(), sale)
    await dying.close()

    town = await run_town(tmp_path, town.names, clock=town.clock)
    try:
        await town.sweepers.run_once()
        await town.freeze("ann")
        repeated = await checkout(town.desk, town.till(), sale)

        orders = await town.rows(town.backend.database, "SELECT order_id FROM sale")
        assert repeated.replayed
        assert orders == [(repeated.order_id,)]
    finally:
        await town.close()
