"""Joins that are refused, and by which code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kernel.database import Database, Overloaded
from tests.gateway.alliances import (
    Counter,
    merchant_caller,
    open_alliance,
)
from tests.gateway.membership.joins import PHONE, try_join


async def test_a_frozen_member_joins_nowhere(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        await here.join(PHONE)
        await _freeze_everyone(house.alliance.database)
        answer = await here.join(PHONE, requestId="r")
        again = await here.join(PHONE, requestId="r")
        found = await here.identify(PHONE)

        assert answer["code"] == "MEMBER_FROZEN"
        assert again == answer
        assert found["member"]["status"] == "FROZEN"
        assert found["warnings"] == ["MEMBER_FROZEN", "IDENTITY_UNVERIFIED"]


async def test_a_merchant_that_is_not_active_takes_no_members(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        await house.alliance.database.transaction(
            lambda connection: connection.exec_driver_sql("UPDATE merchant SET state = 'SUSPENDED'")
        )
    async with open_alliance(tmp_path) as house:
        answer = await Counter(house, here.merchant_id, here.store_id).join(PHONE)

        assert answer["code"] == "MERCHANT_NOT_ACTIVE"


async def test_a_merchant_joins_people_at_its_own_stores_only(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        stranger = Counter(house, there.merchant_id, here.store_id)
        bound = merchant_caller(here.merchant_id, await house.open_store(here.merchant_id, "S2"))
        fields = {"storeId": here.store_id, "credential": PHONE, "consents": []}

        assert (await stranger.join(PHONE))["code"] == "NOT_FOUND"
        assert (await house.change("join", fields, caller=bound))["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"consents": ["x"] * 21}, "consents"),
        ({"consents": ["a", " "]}, "consents.1"),
        ({"referralCode": "x" * 65}, "referralCode"),
        ({"profile": {"displayName": "x" * 81}}, "profile.displayName"),
        ({"profile": {"birthday": "2026-03-02"}}, "profile.birthday"),
        ({"profile": {"birthday": "1899-12-31"}}, "profile.birthday"),
        ({"profile": {"gender": "\n"}}, "profile.gender"),
        ({"profile": {"region": ""}}, "profile.region"),
        ({"requestId": ""}, "requestId"),
        ({"credential": {"phone": "138"}}, "credential.phone"),
    ],
)
async def test_a_join_beyond_its_limits_is_refused(
    tmp_path: Path, fields: dict[str, Any], field: str
) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        answer = await house.change(
            "join",
            {"storeId": here.store_id, "credential": PHONE, "consents": [], **fields},
            caller=here.till,
        )

        assert [problem["field"] for problem in answer["problems"]] == [field]


async def _freeze_everyone(database: Database) -> None:
    await database.transaction(
        lambda connection: connection.exec_driver_sql("UPDATE member SET status = 'FROZEN'")
    )


async def test_an_overload_is_told_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()

        async def full(work: Any) -> Any:
            raise Overloaded("too many writes wait")

        with monkeypatch.context() as patched:
            patched.setattr(house.alliance.database, "transaction", full)
            _, codes = await try_join(here, "r")

    assert codes == ["OVERLOADED"]
