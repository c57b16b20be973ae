"""Operations that a token does not open are refused whole, before any fetch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kernel.callers import CallerKind
from tests.gateway.http.running import GRAPHQL, Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as running:
        yield running


@pytest.mark.parametrize("query", ["{ secret }", "{ till }", "{ office { name } }"])
async def test_without_a_token_guarded_fields_are_unauthenticated(
    server: Server, query: str
) -> None:
    response = await server.post(f"query {query}", headers={"accept": GRAPHQL})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="alliance"'
    assert {error["extensions"]["code"] for error in response.json()["errors"]} == {
        "UNAUTHENTICATED"
    }
    assert server.subgraph.contexts == []


@pytest.mark.parametrize(
    ("kind", "query", "coordinates"),
    [
        (CallerKind.MEMBER, "{ till }", ["Query.till"]),
        (CallerKind.ADMIN, "{ till }", ["Query.till"]),
        (CallerKind.MEMBER, "{ office { name } }", ["Office.name", "Query.office"]),
        (CallerKind.MEMBER, "{ office { __typename } }", ["Query.office"]),
        (
            CallerKind.MERCHANT,
            "{ greeting till ...F } fragment F on Query { office { name } }",
            ["Office.name", "Query.office"],
        ),
        (CallerKind.MEMBER, "{ x: till @include(if: true) greeting }", ["Query.till"]),
    ],
)
async def test_every_field_that_a_token_does_not_open_is_named(
    server: Server, kind: CallerKind, query: str, coordinates: list[str]
) -> None:
    response = await server.post(query, headers={**server.bearer(kind), "accept": GRAPHQL})

    assert response.status_code == 403
    errors = response.json()["errors"]
    assert [error["extensions"]["coordinate"] for error in errors] == coordinates
    assert {error["extensions"]["code"] for error in errors} == {"FORBIDDEN"}
    assert "data" not in response.json()
    assert server.subgraph.contexts == []


async def test_older_clients_get_the_refusal_with_status_200(server: Server) -> None:
    response = await server.post("{ till }", headers={"accept": "application/json"})

    assert response.status_code == 200
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        (CallerKind.MEMBER, "{ secret greeting }"),
        (CallerKind.MERCHANT, "{ secret till }"),
        (CallerKind.ADMIN, "{ secret office { name } }"),
    ],
)
async def test_a_token_opens_what_its_scope_says(
    server: Server, kind: CallerKind, query: str
) -> None:
    response = await server.post(query, headers=server.bearer(kind))

    assert response.status_code == 200
    assert "errors" not in response.json()


async def test_the_schema_may_be_read_without_a_token(server: Server) -> None:
    response = await server.post("{ __schema { queryType { name } } greeting }")

    assert response.json()["data"]["__schema"] == {"queryType": {"name": "Query"}}


@pytest.mark.parametrize(
    ("kind", "query", "message"),
    [
        (
            CallerKind.MEMBER,
            "{ till }",
            "Query.till is not open to a member token; it needs a merchant token.",
        ),
        (None, "{ till }", "Query.till needs a merchant token."),
        (None, "{ secret }", "Query.secret needs a token."),
    ],
)
async def test_whoever_is_kept_out_is_told_which_token_opens_the_field(
    server: Server, kind: CallerKind | None, query: str, message: str
) -> None:
    headers = server.bearer(kind) if kind else {}

    response = await server.post(query, headers=headers)

    assert [error["message"] for error in response.json()["errors"]] == [message]
