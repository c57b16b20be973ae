"""Two gateways on one PostgreSQL: neither decides by what the other has changed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.alliance.leases import LEASE
from gateway.alliance.settings import SettingValues
from gateway.alliance.settings_book import ConfigureAlliance
from gateway.checkout import checkouts_sql
from gateway.checkout.states import CheckoutState
from gateway.directory.admission import AdmitMerchant
from gateway.directory.entries import BackendKind
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import (
    ADMIN,
    START,
    Names,
    StandingClock,
    Town,
    open_town,
    run_town,
)

pytestmark = pytest.mark.postgresql


@pytest.fixture
async def towns(tmp_path: Path) -> AsyncIterator[tuple[Town, Town]]:
    """One alliance as two processes run it, with clocks of their own."""
    async with open_town(tmp_path) as here:
        there = await run_town(tmp_path, here.names, clock=StandingClock(START))
        there.count = 1_000
        yield here, there
        await there.close()


async def state_of(town: Town, checkout_id: str) -> CheckoutState:
    checkout = await town.alliance.database.snapshot(
        lambda connection: checkouts_sql.read_checkout(connection, checkout_id)
    )
    assert checkout is not None
    return checkout.state


async def hold(town: Town) -> str:
    coupon = await town.coupon(1_000)
    held = await Till(town).hold(Till(town).cart(5_000, couponIds=[coupon]))
    checkout_id: str = held["checkout"]["id"]
    return checkout_id


async def test_two_that_found_an_alliance_at_once_found_one(tmp_path: Path) -> None:
    towns = await asyncio.gather(
        *(run_town(tmp_path, Names(), clock=StandingClock(START)) for _ in range(2))
    )

    assert [town.alliance.settings.version for town in towns] == [1, 1]
    assert towns[0].alliance.secret == towns[1].alliance.secret
    for town in towns:
        await town.close()


async def test_settings_that_one_changes_hold_for_the_next_request_of_the_other(
    towns: tuple[Town, Town],
) -> None:
    here, there = towns
    values = replace(SettingValues(), points_cap_bps=1_234)
    await here.alliance.settings_book.configure(ADMIN, ConfigureAlliance("settings", values))

    await there.alliance.catch_up()

    assert there.alliance.settings == here.alliance.settings
    assert there.alliance.settings.values.points_cap_bps == 1_234


async def test_a_merchant_that_one_admits_is_known_to_the_other(
    towns: tuple[Town, Town],
) -> None:
    here, there = towns
    admitted = await here.alliance.admission.admit_merchant(
        ADMIN, AdmitMerchant("toys", "toys", "Toys", None, BackendKind.HOSTED, None)
    )
    assert there.alliance.directory.merchant(admitted.merchant.id) is None

    await there.alliance.catch_up()

    assert there.alliance.directory.merchant(admitted.merchant.id) == admitted.merchant


async def test_a_request_sent_to_both_at_once_sells_once(towns: tuple[Town, Town]) -> None:
    tills = [Till(town) for town in towns]
    cart = tills[0].cart(12_345)

    answers = await asyncio.gather(
        *(tills[n % 2].change("checkout", "once", cart=cart, orderNo="no-1") for n in range(6))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds.keys() <= {"CheckoutCaptured", "RequestInProgressRefusal"}
    assert len({a["order"]["id"] for a in answers if a["__typename"] == "CheckoutCaptured"}) == 1
    assert (await towns[1].standing()).available == 123


async def test_a_coupon_is_used_once_though_tills_of_both_try(towns: tuple[Town, Town]) -> None:
    coupon = await towns[0].coupon(1_000)
    tills = [Till(town) for town in towns]
    cart = tills[0].cart(5_000, couponIds=[coupon])

    answers = await asyncio.gather(
        *(tills[n % 2].change("checkout", cart=cart, orderNo=f"no-{n}") for n in range(8))
    )

    kinds = Counter(answer["__typename"] for answer in answers)
    assert kinds == {"CheckoutCaptured": 1, "CouponTakenRefusal": 7}


async def test_a_checkout_in_work_is_left_alone_by_the_other(towns: tuple[Town, Town]) -> None:
    here, there = towns
    checkout_id = await hold(here)
    await there.sweepers.run_once()
    there.clock.seconds += 3_600

    async with here.desk.running.occupying(checkout_id):
        await there.sweepers.run_once()
        assert await state_of(there, checkout_id) is CheckoutState.HELD
        captured = await Till(there).change(
            "captureCheckout", checkoutId=checkout_id, orderNo="no-1"
        )
        assert captured["__typename"] == "RequestInProgressRefusal"

    await there.sweepers.run_once()
    assert await state_of(there, checkout_id) is CheckoutState.RELEASED


async def test_what_a_process_that_died_worked_on_is_finished_when_its_lease_ends(
    towns: tuple[Town, Town],
) -> None:
    here, there = towns
    checkout_id = await hold(here)
    await there.sweepers.run_once()
    there.clock.seconds += 3_600
    assert await here.desk.running.leases.take(checkout_id)

    there.clock.set(START + LEASE - timedelta(seconds=1))
    await there.sweepers.run_once()
    assert await state_of(there, checkout_id) is CheckoutState.HELD

    there.clock.set(START + LEASE)
    await there.sweepers.run_once()
    assert await state_of(there, checkout_id) is CheckoutState.RELEASED


async def test_sweepers_of_both_book_each_sale_once(towns: tuple[Town, Town]) -> None:
    here, there = towns
    till = Till(here)
    await asyncio.gather(*(till.sell(10_000, order_no=f"no-{n}") for n in range(5)))

    for _ in range(3):
        await asyncio.gather(here.sweepers.run_once(), there.sweepers.run_once())

    assert (await there.standing()).available == 500
    cursors = await there.rows(there.alliance.database, "SELECT cursor FROM event_cursor")
    latest = await there.rows(there.backend.database, "SELECT MAX(cursor) FROM outbox")
    assert cursors == latest
