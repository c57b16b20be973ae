"""Joins that are cut off at any point, or many at once: one member in the end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kernel.database import Overloaded
from tests.gateway.alliances import (
    Counter,
    Door,
    open_alliance,
)
from tests.gateway.membership.joins import PHONE, try_join


async def test_a_join_whose_backend_is_silent_is_finished_by_its_repeat(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        await house.offer_to_newcomers(here.merchant_id)
        door.is_shut = True
        _, codes = await try_join(here, "r")
        health = house.alliance.health.health(here.merchant_id)
        door.is_shut = False
        joined = await here.join(PHONE, requestId="r")

        assert codes == ["SUBGRAPH_UNAVAILABLE"]
        assert health.state == "DEGRADED"
        assert joined["replayed"] is False
        assert joined["alreadyMember"] is False
        assert joined["firstOrderCoupon"] is not None


async def test_a_join_whose_answer_could_not_be_kept_is_finished_by_its_repeat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        transaction = house.alliance.database.transaction

        async def full_once_told(work: Any) -> Any:
            if door.joins:
                raise Overloaded("too many writes wait")
            return await transaction(work)

        with monkeypatch.context() as patched:
            patched.setattr(house.alliance.database, "transaction", full_once_told)
            _, codes = await try_join(here, "r")
        joined = await here.join(PHONE, requestId="r")

        assert codes != []
        assert joined["alreadyMember"] is False


async def test_a_join_that_was_cut_off_is_finished_on_the_next_start(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        await house.offer_to_newcomers(here.merchant_id)
        door.is_shut = True
        await try_join(here, "r")

    door.is_shut = False
    async with open_alliance(tmp_path, door=door) as house:
        assert [join.merchant_id for join in door.joins] == [
            here.merchant_id,
            house.alliance.directory.alliance.id,
        ]
        joined = await Counter(house, here.merchant_id, here.store_id).join(PHONE, requestId="r")
        assert joined["alreadyMember"] is False
        assert joined["firstOrderCoupon"] is not None

    async with open_alliance(tmp_path, door=door):
        assert len(door.joins) == 4


async def test_a_join_goes_on_when_the_till_hangs_up(tmp_path: Path) -> None:
    door = Door()
    gate = asyncio.Event()
    begun = asyncio.Event()
    answer = door.join

    async def slow_join(join: Any) -> Any:
        begun.set()
        await gate.wait()
        return await answer(join)

    door.join = slow_join  # type: ignore[method-assign]
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        first = asyncio.create_task(here.join(PHONE, requestId="r"))
        await begun.wait()
        meanwhile = await here.join(PHONE, requestId="r")
        first.cancel()
        gate.set()

    async with open_alliance(tmp_path, door=door) as house:
        again = await Counter(house, here.merchant_id, here.store_id).join(PHONE, requestId="r")

    assert meanwhile["code"] == "REQUEST_IN_PROGRESS"
    assert meanwhile["retryable"] is True
    assert again["replayed"] is True
    assert again["alreadyMember"] is False


async def test_fifty_tills_at_once_make_one_member(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        answers = await asyncio.gather(*(here.join(PHONE) for _ in range(50)))

        assert len({answer["member"]["id"] for answer in answers}) == 1
        assert [answer["alreadyMember"] for answer in answers].count(False) == 1
