"""The explorer page, health and metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from graphql import parse
from sqlalchemy import MetaData

from gateway.http.app import create_app
from kernel.database import open_database
from kernel.ids import SeededIds
from tests.gateway.http.running import GRAPHQL, Server, serving

EXPLORER = Path("gateway/explorer")
ASSETS = sorted(path.name for path in EXPLORER.iterdir() if path.suffix in (".js", ".css"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path, with_explorer=True) as running:
        yield running


async def test_the_explorer_page_may_load_and_ask_nothing_but_this_server(
    server: Server,
) -> None:
    response = await server.client.get("/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in policy
    assert re.search(r"https?:", policy) is None


async def test_everything_that_the_page_names_is_served_here(server: Server) -> None:
    page = (await server.client.get("/")).text
    named = set(re.findall(r'(?:src|href)="(/[^"]+)"', page))
    for path in sorted(named):
        text = (await server.client.get(path)).text
        named |= set(re.findall(r'"(/explorer/[^"]+)"', text))

    assert named >= {f"/explorer/{name}" for name in [*ASSETS, "operations.json"]}
    for path in named:
        assert (await server.client.get(path)).status_code == 200


@pytest.mark.parametrize("name", ["index.html", "operations.json", *ASSETS])
def test_no_file_of_the_explorer_points_elsewhere(name: str) -> None:
    text = (EXPLORER / name).read_text(encoding="utf-8")

    assert re.search(r"https?://|//[a-z0-9-]+\.[a-z]{2,}", text) is None


def test_the_page_has_no_inline_script_or_style() -> None:
    page = (EXPLORER / "index.html").read_text(encoding="utf-8")

    assert re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", page) is None


async def test_every_example_is_graphql_with_the_variables_it_needs(server: Server) -> None:
    groups = (await server.client.get("/explorer/operations.json")).json()

    for group in groups:
        for example in group["operations"]:
            [operation] = parse(example["query"]).definitions
            required = {
                definition.variable.name.value
                for definition in operation.variable_definitions or ()
                if definition.type.kind == "non_null_type" and definition.default_value is None
            }
            assert required <= set(example.get("variables", {})), example["name"]


async def test_a_gateway_without_the_explorer_has_no_page(tmp_path: Path) -> None:
    async with serving(tmp_path, with_explorer=False) as server:
        assert (await server.client.get("/")).status_code == 404
        assert (await server.client.get("/explorer/explorer.js")).status_code == 404


async def test_an_open_gateway_is_up_and_ready(server: Server) -> None:
    assert (await server.client.get("/health")).json() == {"status": "up"}
    assert (await server.client.get("/ready")).status_code == 200


async def test_a_gateway_whose_database_is_silent_is_up_but_not_ready(
    tmp_path: Path,
) -> None:
    books, shops = [await open_database(tmp_path / name, MetaData()) for name in ("b", "s")]
    async with serving(tmp_path, databases={"books": books, "shops": shops}) as server:
        before = await server.client.get("/ready")
        await shops.close()
        after = await server.client.get("/ready")
        health = await server.client.get("/health")
    await books.close()

    assert (before.status_code, after.status_code, health.status_code) == (200, 503, 200)
    assert before.json()["databases"] == {"books": "answers", "shops": "answers"}
    assert after.json() == {
        "status": "unavailable",
        "databases": {"books": "answers", "shops": "silent"},
    }


async def test_all_who_ask_at_once_whether_a_gateway_is_ready_wait_for_one_look(
    tmp_path: Path,
) -> None:
    looks, looking, answer = 0, asyncio.Event(), asyncio.Event()
    books = await open_database(tmp_path / "books", MetaData())

    async def look(_seconds: float) -> bool:
        nonlocal looks
        looks += 1
        looking.set()
        return await answer.wait()

    books.answers_within = look  # type: ignore[method-assign]
    async with serving(tmp_path, databases={"books": books}) as server:
        asking = [asyncio.create_task(server.client.get("/ready")) for _ in range(5)]
        await looking.wait()
        asking[0].cancel()
        late = asyncio.create_task(server.client.get("/ready"))
        await asyncio.sleep(0)
        answer.set()
        told = await asyncio.gather(*asking[1:], late)
    await books.close()

    assert looks == 1
    assert {response.status_code for response in told} == {200}


async def test_before_it_is_open_a_gateway_is_up_but_not_ready() -> None:
    def never_opened() -> None:
        raise AssertionError("nothing starts it")

    app = create_app(never_opened, ids=SeededIds("pages"))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/ready")).status_code == 503
        response = await client.post("/graphql", json={"query": "{ a }"})

    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"] == {"code": "NOT_READY", "retryable": True}


async def test_metrics_count_requests_by_kind_and_outcome(server: Server) -> None:
    await server.post("{ greeting }")
    await server.post('mutation { rename(to: "x") }')
    await server.post("{ greeting broken }")
    await server.post("{ till }", headers={"accept": GRAPHQL})
    await server.post("{ greeting }", headers={"authorization": "Bearer x"})

    text = (await server.client.get("/metrics")).text
    for kind, outcome in [
        ("query", "answered"),
        ("mutation", "answered"),
        ("query", "partial"),
        ("query", "refused"),
        ("none", "refused"),
    ]:
        assert f'alliance_requests_total{{kind="{kind}",outcome="{outcome}"}} 1.0' in text
    assert "alliance_requests_under_way 0.0" in text


class FailingEngine:
    async def execute(self, request: object, context: object) -> object:
        raise KeyError("a secret of the house")


async def test_a_bug_is_told_as_an_internal_error_and_logged_with_the_request_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, engine=FailingEngine()) as server:
        response = await server.post("{ greeting }", headers={"x-request-id": "till-7"})

    assert response.status_code == 500
    assert response.json() == {
        "errors": [{"message": "Internal error.", "extensions": {"code": "INTERNAL"}}]
    }
    assert "request till-7 failed" in caplog.text
