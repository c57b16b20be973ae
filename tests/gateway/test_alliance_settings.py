from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.alliance.settings import PointsExpiry, SettingValues, check_settings
from kernel.refusals import InvalidInput
from kernel.units import Ratio
from ledger.contract import GrantCoins
from tests.gateway.alliances import ADMIN, merchant_caller, open_alliance

SETTINGS: dict[str, Any] = {
    "currency": "CNY",
    "timeZone": "Asia/Shanghai",
    "earnPointsPerMajorUnit": 2,
    "memberPointValue": "1/2",
    "activationDaysStore": 1,
    "activationDaysOnline": 8,
    "expiry": "YEAR_END",
    "debtPolicy": "WITHIN_BALANCE",
    "depositPolicy": "REQUIRED",
    "pointsCapBps": 4000,
}
ALL_SETTINGS = """{ allianceSettings {
    version effectiveFrom merchant { id name } currency timeZone earnPointsPerMajorUnit
    memberPointValue activationDaysStore activationDaysOnline expiry expiryMonths debtPolicy
    depositPolicy pointsCapBps
} }"""


async def test_a_new_alliance_has_the_default_settings_as_version_1(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        data = await house.ask(ALL_SETTINGS, caller=ADMIN)

        assert data["allianceSettings"] == {
            "version": 1,
            "effectiveFrom": "2026-03-01T09:30:00Z",
            "merchant": {"id": house.alliance.directory.alliance.id, "name": "Alliance"},
            "currency": "CNY",
            "timeZone": "Asia/Shanghai",
            "earnPointsPerMajorUnit": 1,
            "memberPointValue": "1",
            "activationDaysStore": 0,
            "activationDaysOnline": 7,
            "expiry": "MONTHS",
            "expiryMonths": 12,
            "debtPolicy": "DEBT",
            "depositPolicy": "OFF",
            "pointsCapBps": 5000,
        }


async def test_configuring_makes_the_next_version_which_outlives_a_restart(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        answer = await house.change("configureAlliance", SETTINGS, caller=ADMIN)
        assert answer == {
            "__typename": "AllianceConfigured",
            "replayed": False,
            "settings": {"version": 2, "currency": "CNY"},
        }
        configured = house.alliance.settings

    async with open_alliance(tmp_path) as house:
        assert house.alliance.settings == configured
        assert configured.values.member_point_value == Ratio(1, 2)
        assert configured.values.expiry is PointsExpiry.YEAR_END


async def test_a_repeated_configuration_answers_with_the_first_version(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        fields = {**SETTINGS, "requestId": "r"}
        first = await house.change("configureAlliance", fields, caller=ADMIN)
        again = await house.change("configureAlliance", fields, caller=ADMIN)
        other = await house.change("configureAlliance", {**fields, "pointsCapBps": 1}, caller=ADMIN)

        assert again == {**first, "replayed": True}
        assert other["code"] == "REQUEST_ID_REUSED"
        assert house.alliance.settings.version == 2


async def test_the_currency_stays_once_something_was_booked(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        await house.ledger.grant_coins(
            GrantCoins("g", "card_1", None, 100, "thanks", at=house.clock.now())
        )
        answer = await house.change(
            "configureAlliance", {**SETTINGS, "currency": "GBP"}, caller=ADMIN
        )

        assert [problem["field"] for problem in answer["problems"]] == ["currency"]
        assert house.alliance.settings.version == 1


async def test_the_currency_may_change_before_anything_was_booked(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        answer = await house.change(
            "configureAlliance", {**SETTINGS, "currency": "GBP"}, caller=ADMIN
        )

        assert answer["settings"] == {"version": 2, "currency": "GBP"}


async def test_every_fault_of_settings_is_named_and_the_refusal_kept(tmp_path: Path) -> None:
    wrong = {
        **SETTINGS,
        "requestId": "r",
        "timeZone": "Mars/Olympus",
        "earnPointsPerMajorUnit": -1,
        "memberPointValue": "0",
        "activationDaysStore": 366,
        "activationDaysOnline": -1,
        "expiry": "MONTHS",
        "pointsCapBps": 10_001,
    }
    async with open_alliance(tmp_path) as house:
        answer = await house.change("configureAlliance", wrong, caller=ADMIN)
        again = await house.change("configureAlliance", wrong, caller=ADMIN)

        assert [problem["field"] for problem in answer["problems"]] == [
            "timeZone",
            "earnPointsPerMajorUnit",
            "memberPointValue",
            "activationDaysStore",
            "activationDaysOnline",
            "expiryMonths",
            "pointsCapBps",
        ]
        assert again == answer


@pytest.mark.parametrize("length", [0, 129])
async def test_a_request_id_has_1_to_128_characters(tmp_path: Path, length: int) -> None:
    async with open_alliance(tmp_path) as house:
        answer = await house.change(
            "configureAlliance", {**SETTINGS, "requestId": "x" * length}, caller=ADMIN
        )

        assert answer["problems"][0]["field"] == "requestId"


async def test_only_admins_configure_the_alliance(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        merchant_id = await house.admit("A")
        _, codes = await house.ask_with_errors(
            "mutation($input: ConfigureAllianceInput!) "
            "{ configureAlliance(input: $input) { __typename } }",
            {"input": {**SETTINGS, "requestId": "r"}},
            caller=merchant_caller(merchant_id),
        )

        assert codes == ["FORBIDDEN"]


async def test_settings_are_for_those_who_carry_a_token(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        _, codes = await house.ask_with_errors(ALL_SETTINGS, caller=None)

        assert codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("months", [1, 120])
def test_points_may_live_1_to_120_months(months: int) -> None:
    check_settings(replace(SettingValues(), expiry_months=months))


@pytest.mark.parametrize("months", [0, 121, None])
def test_points_that_live_for_months_need_a_number_of_them(months: int | None) -> None:
    with pytest.raises(InvalidInput, match="expiryMonths"):
        check_settings(replace(SettingValues(), expiry_months=months))


def test_months_without_an_expiry_in_months_are_refused() -> None:
    with pytest.raises(InvalidInput, match="expiryMonths"):
        check_settings(replace(SettingValues(), expiry=PointsExpiry.NONE))
