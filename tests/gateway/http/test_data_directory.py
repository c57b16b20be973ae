"""A data directory, opened and served whole or by subgraph."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.assembly.data_directory import open_alliance
from gateway.assembly.merchant_shards import ROUTES, shard_keys
from gateway.assembly.schemas import own_supergraph
from gateway.assembly.serving import subgraph_app
from gateway.settings import Settings
from kernel.callers import CallerKind
from kernel.clock import SetClock, SystemClock
from kernel.database import DirectoryInUse
from kernel.ids import RandomIds, SeededIds
from merchants.subgraph import merchants_schema
from tests.builders import START, running, running_gateway

SETTINGS_QUERY = "{ allianceSettings { version currency merchant { id } } }"


async def test_a_new_data_directory_becomes_an_alliance(tmp_path: Path) -> None:
    async with running_gateway(tmp_path / "new") as gateway:
        data = await gateway.data(SETTINGS_QUERY, token=gateway.token(CallerKind.ADMIN, "ada"))

    assert data["allianceSettings"]["version"] == 1
    assert data["allianceSettings"]["currency"] == "CNY"


async def test_a_data_directory_keeps_its_alliance(tmp_path: Path) -> None:
    seen = []
    for seed in ("first", "second"):
        async with running_gateway(tmp_path, seed=seed) as gateway:
            token = gateway.token(CallerKind.ADMIN, "ada")
            seen.append(await gateway.data(SETTINGS_QUERY, token=token))

    assert seen[0] == seen[1]


async def test_a_new_data_directory_is_open_to_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "new"
    async with open_alliance(directory, clock=SetClock(START), ids=SeededIds("a")):
        mode = stat.S_IMODE(directory.stat().st_mode)

    assert mode == 0o700


async def test_two_servers_never_share_a_data_directory(tmp_path: Path) -> None:
    async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()):
        with pytest.raises(DirectoryInUse):
            async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()):
                raise AssertionError("it opened twice")

    async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()) as again:
        assert again.engine is not None


async def test_a_failed_opening_frees_the_directory(tmp_path: Path) -> None:
    (tmp_path / "alliance.db").mkdir()
    for _ in range(2):
        with pytest.raises(Exception, match=r"alliance\.db"):
            async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()):
                raise AssertionError("it opened")


async def test_the_roots_need_a_token(tmp_path: Path) -> None:
    async with running_gateway(tmp_path) as gateway:
        answer = await gateway.ask(SETTINGS_QUERY)

    assert answer["errors"][0]["extensions"] == {
        "code": "UNAUTHENTICATED",
        "coordinate": "Query.allianceSettings",
    }


async def test_an_unknown_member_has_no_card(tmp_path: Path) -> None:
    async with open_alliance(tmp_path, clock=SetClock(START), ids=SeededIds("a")) as opened:
        assert await opened.alliance.member_card("mem_unknown") is None


async def test_a_subgraph_alone_serves_its_sdl_and_keeps_its_access_rules(
    tmp_path: Path,
) -> None:
    app = subgraph_app(
        "ledger",
        Settings(),
        directory=tmp_path,
        clock=SetClock(START),
        ids=SeededIds("a"),
    )
    async with running(app) as client:
        sdl = await client.post(
            "/graphql",
            json={
                "query": "query A { _service { sdl } } query B { __typename }",
                "operationName": "A",
            },
        )
        closed = await client.post(
            "/graphql", json={"query": "{ settlementRules(first: 1) { nodes { id } } }"}
        )

    assert "@key" in sdl.json()["data"]["_service"]["sdl"]
    assert closed.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_every_public_root_field_of_the_merchants_subgraph_finds_its_merchant() -> None:
    supergraph = own_supergraph()
    schema = merchants_schema().executable
    roots = [root for root in (schema.query_type, schema.mutation_type) if root is not None]
    public = {
        name
        for root in roots
        for name in root.fields
        if name in supergraph.public_schema.type_map[root.name].fields
    }

    assert public == set(ROUTES)


def test_every_entity_of_the_merchants_subgraph_finds_its_merchant() -> None:
    entities = merchants_schema().executable.type_map["_Entity"].types

    assert {entity.name for entity in entities} - {"Store"} == set(shard_keys("mer_x"))
