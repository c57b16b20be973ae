"""A process that dies between any two steps of a sale leaves what one that lives leaves."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.checkout.capture import CaptureCheckout, capture
from gateway.checkout.carts import CartAsked, RefundLineAsked
from gateway.checkout.desk import reach_nothing
from gateway.checkout.hold import HoldCheckout, hold
from gateway.checkout.quote import quote
from gateway.checkout.refund import RefundAsked, refund
from gateway.checkout.release import ReleaseCheckout, release
from gateway.checkout.sale import Checkout, checkout
from gateway.checkout.states import UNSETTLED, CheckoutState
from tests.gateway.checkout.town import START, Names, StandingClock, Town, found_town, run_town


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Death:
    """Ends the process when a step is reached, the given number of steps from now."""

    at: int
    seen: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, step: str) -> None:
        self.seen.append(step)
        if len(self.seen) == self.at:
            raise Killed(step)


@dataclass
class Seed:
    """A town that was closed: Ann has points, coins and coupons."""

    directory: Path
    names: Names
    coupon_id: str
    alliance_coupon_id: str

    def rich_cart(self, town: Town) -> CartAsked:
        return town.cart(
            3_333,
            3_333,
            3_334,
            coupon_ids=(self.coupon_id, self.alliance_coupon_id),
            points=500,
            coins=dataclasses.replace(town.cart(100).lines[0].unit_price),
        )


Scenario = Callable[[Town, Seed], Awaitable[None]]


async def plain_sale(town: Town, seed: Seed) -> None:
    await checkout(town.desk, town.till(), Checkout("sale", town.cart(12_345), "no-1"))


async def rich_sale(town: Town, seed: Seed) -> None:
    await checkout(town.desk, town.till(), Checkout("sale", seed.rich_cart(town), "no-1"))


async def held_sale(town: Town, seed: Seed) -> None:
    cart = seed.rich_cart(town)
    version = await version_of(town, cart)
    held = await hold(town.desk, town.till(), HoldCheckout("hold", cart, version))
    await capture(town.desk, town.till(), CaptureCheckout("capture", held.checkout_id, "no-1"))


async def released_sale(town: Town, seed: Seed) -> None:
    cart = seed.rich_cart(town)
    version = await version_of(town, cart)
    held = await hold(town.desk, town.till(), HoldCheckout("hold", cart, version))
    await release(town.desk, town.till(), ReleaseCheckout("release", held.checkout_id))


async def late_sale(town: Town, seed: Seed) -> None:
    cart = seed.rich_cart(town)
    version = await version_of(town, cart)
    held = await hold(town.desk, town.till(), HoldCheckout("hold", cart, version))
    await release(town.desk, town.till(), ReleaseCheckout("release", held.checkout_id))
    await capture(town.desk, town.till(), CaptureCheckout("capture", held.checkout_id, "no-1"))


async def refunded_sale(town: Town, seed: Seed) -> None:
    sold = await checkout(town.desk, town.till(), Checkout("sale", seed.rich_cart(town), "no-1"))
    for line in range(3):
        await refund(
            town.desk,
            town.till(),
            RefundAsked(
                f"refund-{line}", sold.order_id, f"r-{line}", lines=(RefundLineAsked(line, 1),)
            ),
        )


SCENARIOS: list[Scenario] = [
    plain_sale,
    rich_sale,
    held_sale,
    released_sale,
    late_sale,
    refunded_sale,
]


async def version_of(town: Town, cart: CartAsked) -> str:
    """The version a till noted once; a repeat sends it again."""
    noted = town.desk.database.path.with_suffix(".version")
    if not noted.exists():
        quoted = await quote(town.desk, town.till(), cart)
        noted.write_text(quoted.priced.version)
    return noted.read_text()


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    directory = tmp_path_factory.mktemp("seed")

    async def found() -> Seed:
        town = await found_town(directory, StandingClock(START))
        sold = Checkout("riches", town.cart(80_000), "no-0")
        await checkout(town.desk, town.till(), sold)
        await town.grant_coins(1_000)
        made = Seed(
            directory,
            town.names,
            await town.coupon(1_000),
            await town.alliance_coupon(500),
        )
        await town.alliance.sweepers.run_once()
        await town.close()
        return made

    return asyncio.run(found())


async def state_of(town: Town) -> dict[str, Any]:
    """Everything that matters once all is settled."""
    checkouts = await town.rows(town.alliance.database, "SELECT state FROM checkout")
    unsettled = [state for (state,) in checkouts if CheckoutState(state) in UNSETTLED]
    return {
        "standing": dataclasses.asdict(await town.standing()),
        "positions": await town.rows(
            town.databases[0],
            "SELECT account, sum(amount) FROM position GROUP BY 1 ORDER BY 1",
        ),
        "orders": await town.rows(
            town.databases[1],
            "SELECT order_no, state, payable_minor, refunded_minor, absorbed_minor, points_spent,"
            " points_earned FROM sale ORDER BY 1",
        ),
        "coupons": await town.rows(
            town.databases[1], "SELECT coupon_id, state FROM coupon ORDER BY 1"
        ),
        "figures": await town.rows(
            town.databases[1],
            "SELECT merchant_id, card_id, order_count, amount_minor FROM card_metric ORDER BY 1, 2",
        ),
        "unsettled": unsettled,
    }


async def life(
    seed: Seed, directory: Path, scenario: Scenario, *, die_at: int, sweep_first: bool
) -> tuple[dict[str, Any], list[str], bool]:
    """The state in the end, the steps reached before the death, and whether there was one."""
    shutil.copytree(seed.directory, directory)
    death = Death(die_at)
    died = False
    async with running(directory, seed.names, death) as town:
        try:
            await scenario(town, seed)
        except Killed:
            died = True
    async with running(directory, seed.names) as town:
        if died:
            if sweep_first:
                await asyncio.gather(town.sweepers.run_once(), town.sweepers.run_once())
            await scenario(town, seed)
        await town.sweepers.run_once()
        return await state_of(town), death.seen, died


@asynccontextmanager
async def running(
    directory: Path, names: Names, reach: Callable[[str], None] = reach_nothing
) -> AsyncIterator[Town]:
    town = await run_town(directory, names, clock=StandingClock(START), reach=reach)
    try:
        yield town
    finally:
        await town.close()


@pytest.mark.slow
@pytest.mark.parametrize("sweep_first", [False, True], ids=["repeat first", "sweep first"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_a_kill_between_any_two_steps_changes_nothing_in_the_end(
    seed: Seed, tmp_path: Path, scenario: Scenario, sweep_first: bool
) -> None:
    expected, steps, _ = await life(seed, tmp_path / "whole", scenario, die_at=0, sweep_first=False)
    assert expected["unsettled"] == []
    for die_at in range(1, len(steps) + 1):
        state, seen, died = await life(
            seed, tmp_path / str(die_at), scenario, die_at=die_at, sweep_first=sweep_first
        )
        assert died
        assert json.dumps(state) == json.dumps(expected), seen
