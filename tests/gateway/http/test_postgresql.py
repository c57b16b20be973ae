"""Gateways whose databases are on PostgreSQL, as their settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.assembly.databases import Databases
from gateway.http import readiness
from gateway.settings import SettingsInvalid, read_settings
from kernel.callers import CallerKind
from tests.builders import running_gateway
from tests.faults.relay import relayed
from tests.places import PostgresServer

SETTINGS = "{ allianceSettings { version pointsCapBps } }"
CONFIGURE = """mutation($input: ConfigureAllianceInput!) {
  configureAlliance(input: $input) { __typename }
}"""
CHANGED = {
    "requestId": "r",
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
    "pointsCapBps": 4_321,
}


@pytest.mark.postgresql
async def test_what_is_configured_at_one_gateway_holds_at_the_next_request_of_another(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    on_postgresql: dict[str, Any] = {
        "database_url": f"{postgres_server.url}&schema=shared_alliance",
        "merchants_database_url": f"{postgres_server.url}&schema=shared_merchants",
    }
    async with (
        running_gateway(tmp_path / "a", seed="a", **on_postgresql) as here,
        running_gateway(tmp_path / "b", seed="b", **on_postgresql) as there,
    ):
        token = there.token(CallerKind.ADMIN, "ada")
        before = await there.data(SETTINGS, token=token)
        await here.data(CONFIGURE, input=CHANGED, token=here.token(CallerKind.ADMIN, "ada"))
        after = await there.data(SETTINGS, token=token)

    assert before["allianceSettings"]["version"] == 1
    assert after["allianceSettings"] == {"version": 2, "pointsCapBps": 4_321}
    assert not (tmp_path / "a" / "alliance.db").exists()
    assert (tmp_path / "a" / "ledger.db").exists()


@pytest.mark.postgresql
async def test_a_gateway_is_not_ready_while_the_way_to_a_database_is_stuck(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "ANSWERS_WITHIN_S", 0.3)
    ledger = f"{postgres_server.url}&schema=stuck_ledger"
    async with (
        relayed(ledger, tmp_path) as (relay, address),
        running_gateway(tmp_path / "a", ledger_database_url=address) as gateway,
    ):
        before = await gateway.client.get("/ready")
        relay.flows.clear()
        stuck = await gateway.client.get("/ready")
        relay.flows.set()
        monkeypatch.setattr(readiness, "ANSWERS_WITHIN_S", 30)
        after = await gateway.client.get("/ready")

    assert (before.status_code, stuck.status_code, after.status_code) == (200, 503, 200)
    assert stuck.json()["databases"] == {
        "alliance": "answers",
        "ledger": "silent",
        "merchants": "answers",
    }


def test_a_database_without_a_url_is_a_file_and_one_with_a_url_has_its_own_schema() -> None:
    url = "postgresql://me@host/name"
    databases = Databases.in_files_of(Path("data"), alliance=url, merchants=f"{url}?schema=shops")

    assert databases == Databases(
        alliance=f"{url}?schema=alliance",
        ledger=Path("data/ledger.db"),
        merchants=f"{url}?schema=shops",
    )
    assert databases.any_file
    assert not Databases.in_files_of(Path("data"), alliance=url, ledger=url, merchants=url).any_file


@pytest.mark.parametrize(
    "variables",
    [
        {"DATABASE_URL": "mysql://me:secret@host/name"},
        {"LEDGER_DATABASE_URL": "postgresql://me:secret@host"},
        {
            "DATABASE_URL": "postgresql://me:secret@host/name?schema=one",
            "LEDGER_DATABASE_URL": "postgresql://me:secret@host/name?schema=one",
        },
    ],
    ids=["another kind", "no name", "one schema twice"],
)
def test_a_url_that_is_none_is_told_without_its_password(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"ALLIANCE_{name}", value)

    with pytest.raises(SettingsInvalid, match="DATABASE_URL") as refused:
        read_settings()

    assert "secret" not in str(refused.value)
