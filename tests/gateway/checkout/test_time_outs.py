"""What becomes of a checkout that waits, ends late, or is given back."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from gateway.checkout.states import CheckoutState
from ledger.contract import FundsHeld, HoldFunds, Ledger, ReleaseFunds
from merchants.port import ReleaseAttempt
from tests.gateway.checkout.tills import Till, yuan
from tests.gateway.checkout.town import START, Town


async def rich_hold(town: Town, till: Till) -> tuple[str, str, str]:
    """A checkout that holds 400 points, 100 coins and two coupons; its id and the coupons'."""
    await till.sell(50_000, order_no="no-0")
    await town.grant_coins(100)
    coupon_id, alliance_coupon_id = await town.coupon(1_000), await town.alliance_coupon(500)
    cart = till.cart(5_000, couponIds=[coupon_id, alliance_coupon_id], points=400, coins=yuan(100))
    held = await till.hold(cart)
    assert held["__typename"] == "CheckoutHeld", held
    return held["checkout"]["id"], coupon_id, alliance_coupon_id


async def coupon_states(town: Town) -> set[str]:
    return {state for (state,) in await town.rows(town.databases[1], "SELECT state FROM coupon")}


async def state_of(town: Town, checkout_id: str) -> str:
    [(state,)] = await town.rows(
        town.alliance.database, f"SELECT state FROM checkout WHERE id = '{checkout_id}'"
    )
    return str(state)


async def test_a_held_checkout_is_released_after_five_minutes_of_waiting(
    town: Town, till: Till
) -> None:
    checkout_id, *_ = await rich_hold(town, till)

    town.clock.set(START + timedelta(days=400))
    town.clock.seconds += 299
    await town.sweepers.run_once()
    before = await state_of(town, checkout_id)
    town.clock.set(START)
    town.clock.seconds += 1
    await town.sweepers.run_once()

    assert (before, await state_of(town, checkout_id)) == ("HELD", "RELEASED")
    standing = await town.standing()
    assert (standing.available, standing.held) == (500, 0)
    assert (standing.coins_available, standing.coins_held) == (100, 0)
    assert await coupon_states(town) == {"ISSUED"}


async def test_an_extension_gives_fifteen_minutes_in_all_and_only_once(
    town: Town, till: Till
) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    town.clock.seconds += 100

    extended = await till.change("extendCheckout", checkoutId=checkout_id)
    again = await till.change("extendCheckout", checkoutId=checkout_id)
    town.clock.seconds += 799
    await town.sweepers.run_once()
    before = await state_of(town, checkout_id)
    town.clock.seconds += 1
    await town.sweepers.run_once()

    expires_at = datetime.fromisoformat(extended["checkout"]["expiresAt"])
    assert expires_at == town.clock.now() + timedelta(seconds=800)
    assert again["code"] == "EXTENSION_USED"
    assert (before, await state_of(town, checkout_id)) == ("HELD", "RELEASED")


async def test_a_release_gives_back_everything_at_once(town: Town, till: Till) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    released = await till.change("releaseCheckout", checkoutId=checkout_id)

    assert released["checkout"]["state"] == "RELEASED"
    assert (await town.standing()).available == 500
    assert await coupon_states(town) == {"ISSUED"}


async def test_what_is_decided_is_neither_released_nor_extended(town: Town, till: Till) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    captured = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")
    released = await till.change("releaseCheckout", checkoutId=checkout_id)
    extended = await till.change("extendCheckout", checkoutId=checkout_id)

    assert (released["code"], extended["code"]) == ("CHECKOUT_CLOSED", "CHECKOUT_CLOSED")
    assert released["checkout"]["state"] == "CAPTURED"
    assert released["checkout"]["order"] == {"id": captured["order"]["id"]}


async def test_a_late_capture_takes_everything_anew_when_it_can(town: Town, till: Till) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    await till.change("releaseCheckout", checkoutId=checkout_id)
    captured = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")

    assert captured["absorbed"]["amountMinor"] == 0
    assert await coupon_states(town) == {"REDEEMED"}
    standing = await town.standing()
    assert (standing.held, standing.coins_available) == (0, 0)


async def test_a_late_capture_stands_and_the_merchant_bears_what_is_gone(
    town: Town, till: Till
) -> None:
    checkout_id, coupon_id, alliance_coupon_id = await rich_hold(town, till)
    await till.change("releaseCheckout", checkoutId=checkout_id)
    other = await till.sell(
        5_000,
        order_no="no-other",
        couponIds=[coupon_id, alliance_coupon_id],
        points=500,
        coins=yuan(100),
    )
    assert other["__typename"] == "CheckoutCaptured"
    spare = (await town.standing()).available
    captured = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")

    assert captured["__typename"] == "CheckoutCaptured"
    assert captured["absorbed"]["amountMinor"] == 1_000 + 500 + (400 - spare) + 100
    standing = await town.standing()
    assert (standing.debt, standing.held, standing.coins_available) == (0, 0, 0)
    assert await state_of(town, checkout_id) == CheckoutState.CAPTURED


async def test_an_order_number_that_is_taken_leaves_the_checkout_held(
    town: Town, till: Till
) -> None:
    await till.sell(700, order_no="no-1")
    checkout_id, *_ = await rich_hold(town, till)
    refused = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")
    state = await state_of(town, checkout_id)
    captured = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-2")

    assert (refused["code"], state) == ("ORDER_CONFLICT", "HELD")
    assert captured["__typename"] == "CheckoutCaptured"
    assert captured["absorbed"]["amountMinor"] == 0


async def test_a_captured_checkout_is_one_order_under_one_number(town: Town, till: Till) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    first = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")
    again = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")
    other = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-2")

    assert again["order"] == first["order"]
    assert (other["code"], other["order"]) == ("ORDER_CONFLICT", {"id": first["order"]["id"]})


async def test_a_paid_sale_stands_even_if_its_attempt_was_released_behind_its_back(
    town: Town, till: Till
) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    [(attempt_id,)] = await town.rows(
        town.alliance.database, f"SELECT attempt_id FROM checkout WHERE id = '{checkout_id}'"
    )
    await town.backend.release(ReleaseAttempt(town.names.tea, attempt_id))
    captured = await till.change("captureCheckout", checkoutId=checkout_id, orderNo="no-1")

    assert captured["absorbed"]["amountMinor"] == 0
    assert await coupon_states(town) == {"REDEEMED"}
    assert (await town.standing()).held == 0


@dataclasses.dataclass
class ReleasingLedger:
    """Another process releases each attempt just before it holds."""

    town: Town

    def __getattr__(self, name: str) -> Any:
        return getattr(self.town.ledger, name)

    async def hold(self, request: HoldFunds) -> FundsHeld:
        await self.town.ledger.release(
            ReleaseFunds(request.attempt_id, request.card_id, request.now)
        )
        return await self.town.ledger.hold(request)


async def test_a_hold_whose_attempt_was_released_behind_its_back_begins_anew(
    town: Town, till: Till
) -> None:
    await till.sell(50_000, order_no="no-0")
    cart = till.cart(5_000, points=400)
    version = (await till.ask("quote", {"cart": cart}))["version"]
    town.alliance.desk = dataclasses.replace(town.desk, ledger=cast(Ledger, ReleasingLedger(town)))
    silent = await till.change("holdCheckout", "hold", cart=cart, quoteVersion=version)
    town.alliance.desk = town.desk
    held = await till.change("holdCheckout", "hold", cart=cart, quoteVersion=version)

    assert silent["code"] == "REQUEST_IN_PROGRESS"
    assert held["__typename"] == "CheckoutHeld"
    assert (await town.standing()).held == 400


async def test_a_checkout_that_is_extended_while_a_sweeper_looks_at_it_stays_held(
    town: Town, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout_id, *_ = await rich_hold(town, till)
    town.clock.seconds += 301
    snapshot = town.alliance.database.snapshot
    extended: list[Any] = []

    async def extend_behind_it(work: Any, **how: Any) -> Any:
        seen = await snapshot(work, **how)
        if not extended:
            extended.append(None)
            extended.append(await till.change("extendCheckout", checkoutId=checkout_id))
        return seen

    monkeypatch.setattr(town.alliance.database, "snapshot", extend_behind_it)
    await town.sweepers.run_once()

    assert extended[1]["__typename"] == "CheckoutExtended"
    assert await state_of(town, checkout_id) == "HELD"
