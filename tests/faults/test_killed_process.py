"""A process killed by the system (SIGKILL) in the middle of a sale, and its successor."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.checkout.sale import Checkout, checkout
from tests.gateway.checkout.town import (
    START,
    Names,
    StandingClock,
    Town,
    found_town,
    run_town,
)

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass
class Seed:
    directory: Path
    names: Names
    coupon_ids: tuple[str, ...]


async def seed(directory: Path) -> Seed:
    town = await found_town(directory, StandingClock(START))
    try:
        await checkout(town.desk, town.till(), Checkout("riches", town.cart(50_000), "no-0"))
        coupon_ids = (await town.coupon(1_000), await town.alliance_coupon(500))
        return Seed(directory, town.names, coupon_ids)
    finally:
        await town.close()


async def successor(
    made: Seed, directory: Path, work: Callable[[Town], Awaitable[None]]
) -> dict[str, Any]:
    """What is there after the next process did its work."""
    town = await run_town(directory, made.names, clock=StandingClock(START))
    try:
        await work(town)
        await town.sweepers.run_once()
        return {
            "standing": await town.standing(),
            "orders": await town.rows(
                town.databases[1],
                "SELECT order_no, state, payable_minor, points_spent, points_earned FROM sale"
                " ORDER BY 1",
            ),
            "coupons": await town.rows(
                town.databases[1], "SELECT coupon_id, state FROM coupon ORDER BY 1"
            ),
            "states": await town.rows(
                town.alliance.database, "SELECT DISTINCT state FROM checkout ORDER BY 1"
            ),
        }
    finally:
        await town.close()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["checkout.taken", "capture.placed", "sale.ledger"])
async def test_the_successor_of_a_killed_process_ends_where_a_whole_one_does(
    tmp_path: Path, step: str
) -> None:
    made = await seed(tmp_path / "seed")

    async def sell(town: Town) -> None:
        cart = town.cart(5_000, coupon_ids=made.coupon_ids, points=400)
        sold = await checkout(town.desk, town.till(), Checkout("sale", cart, "no-1"))
        assert sold.absorbed_minor == 0

    shutil.copytree(made.directory, tmp_path / "whole")
    expected = await successor(made, tmp_path / "whole", sell)

    shutil.copytree(made.directory, tmp_path / "killed")
    victim = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.victim",
        str(tmp_path / "killed"),
        json.dumps(dataclasses.asdict(made.names)),
        json.dumps(made.coupon_ids),
        step,
        cwd=ROOT,
    )
    assert await asyncio.wait_for(victim.wait(), 60) == -signal.SIGKILL

    assert await successor(made, tmp_path / "killed", sell) == expected


@pytest.mark.slow
async def test_a_killed_sale_that_stood_is_booked_without_any_repeat(tmp_path: Path) -> None:
    made = await seed(tmp_path / "seed")
    victim = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.victim",
        str(made.directory),
        json.dumps(dataclasses.asdict(made.names)),
        json.dumps(made.coupon_ids),
        "capture.placed",
        cwd=ROOT,
    )
    await asyncio.wait_for(victim.wait(), 60)

    async def nothing(town: Town) -> None:
        assert (await town.standing()).held == 400

    after = await successor(made, made.directory, nothing)

    assert [order for order, *_ in after["orders"]] == ["no-0", "no-1"]
    assert after["standing"].held == 0
    assert {state for _, state in after["coupons"]} == {"REDEEMED"}
    assert after["states"] == [("CAPTURED",)]
