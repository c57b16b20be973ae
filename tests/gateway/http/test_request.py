"""GraphQL over HTTP, case by case: status, media type and body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.http.limits import EndpointLimits
from tests.gateway.http.running import GRAPHQL, Server, serving

JSON = "application/json"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path, limits=EndpointLimits(body_bytes_max=4_096)) as running:
        yield running


def code_of(response: httpx.Response) -> str:
    body = response.json()
    assert set(body) == {"errors"}
    assert isinstance(body["errors"][0]["message"], str)
    return body["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        (JSON, JSON),
        ("application/*", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", JSON),
        (f"{JSON}, {GRAPHQL};q=0.9", JSON),
        (f"{GRAPHQL};q=0.5, */*;q=0.1", GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
        ("text/html, */*;q=0.1", JSON),
    ],
)
async def test_an_answer_comes_in_the_media_type_that_the_client_likes_best(
    server: Server, accept: str | None, media_type: str
) -> None:
    request = server.client.build_request("POST", "/graphql", json={"query": "{ greeting }"})
    request.headers.pop("accept")
    if accept is not None:
        request.headers["accept"] = accept

    response = await server.client.send(request)

    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.json() == {"data": {"greeting": "Hello you"}}


async def test_a_client_that_takes_neither_media_type_is_refused(server: Server) -> None:
    response = await server.post("{ greeting }", headers={"accept": "text/html"})

    assert (response.status_code, code_of(response)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
        "application/json; profile=x",
    ],
)
async def test_json_in_utf_8_is_taken(server: Server, content_type: str) -> None:
    response = await server.client.post(
        "/graphql",
        content='{"query":"{ greeting(to: \\"会员\\") }"}'.encode(),
        headers={"content-type": content_type},
    )

    assert response.json() == {"data": {"greeting": "Hello 会员"}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/graphql"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=gb18030"},
        {"content-type": JSON, "content-encoding": "gzip"},
    ],
)
async def test_other_bodies_are_an_unsupported_media_type(
    server: Server, headers: dict[str, str]
) -> None:
    response = await server.client.post(
        "/graphql", content=b'{"query":"{ greeting }"}', headers=headers
    )

    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'"text"',
        b"null",
        b"{}",
        b'{"query":null}',
        b'{"query":1}',
        b'{"query":["{ greeting }"]}',
        b'{"query":"{ greeting }","variables":[]}',
        b'{"query":"{ greeting }","variables":"{}"}',
        b'{"query":"{ greeting }","operationName":1}',
        b'{"query":"{ greeting }","extensions":[]}',
        b'{"query":"{ greeting }","query":"{ broken }"}',
        b'{"query":"{ greeting }","variables":{"a":1,"a":2}}',
        b'{"query":"{ greeting }","variables":{"a":NaN}}',
        b'{"query":"{ greeting }","variables":{"a":Infinity}}',
        b'{"query":"\xff"}',
        b'{"query":"{ greeting }"} trailing',
        b'[{"query":"{ greeting }"}]',
        b'{"query":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    ],
)
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_body_that_is_no_well_formed_request_is_a_bad_request(
    server: Server, body: bytes, accept: str
) -> None:
    response = await server.client.post(
        "/graphql", content=body, headers={"content-type": JSON, "accept": accept}
    )

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert response.headers["content-type"].startswith(accept)


async def test_null_stands_for_an_optional_parameter_that_is_not_given(server: Server) -> None:
    response = await server.post(
        "{ greeting }", operationName=None, variables=None, extensions=None, other=1
    )

    assert response.json() == {"data": {"greeting": "Hello you"}}


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("{ greeting", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ unknown }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { greeting } query B { greeting }", {}, "OPERATION_NOT_FOUND"),
        ("query A { greeting }", {"operationName": "B"}, "OPERATION_NOT_FOUND"),
        ("query A($to: String!) { greeting(to: $to) }", {}, "BAD_USER_INPUT"),
    ],
)
async def test_a_request_error_is_400_for_new_clients_and_200_for_old_ones(
    server: Server, query: str, body: dict[str, Any], code: str
) -> None:
    new = await server.post(query, headers={"accept": GRAPHQL}, **body)
    old = await server.post(query, headers={"accept": JSON}, **body)

    assert (new.status_code, code_of(new)) == (400, code)
    assert (old.status_code, code_of(old)) == (200, code)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
async def test_a_failed_field_leaves_status_200_and_tells_no_secret(
    server: Server, accept: str
) -> None:
    response = await server.post("{ greeting broken }", headers={"accept": accept})

    assert response.status_code == 200
    assert response.json()["data"] == {"greeting": "Hello you", "broken": None}
    assert response.json()["errors"][0]["path"] == ["broken"]
    assert "secret" not in response.text


async def test_a_whole_number_beyond_a_double_reaches_the_schema_unchanged(
    server: Server,
) -> None:
    response = await server.post(
        "query ($value: Long) { big(value: $value) }", variables={"value": 2**53 + 1}
    )

    assert response.json() == {"data": {"big": "9007199254740993"}}


async def test_a_query_may_come_by_get(server: Server) -> None:
    response = await server.client.get(
        "/graphql",
        params={
            "query": "query A($to: String) { greeting(to: $to) } mutation B { rename(to: 1) }",
            "operationName": "A",
            "variables": '{"to": "world"}',
            "extensions": "{}",
        },
    )

    # `rename(to: 1)` is not valid, and the whole document has to be.
    assert code_of(response) == "GRAPHQL_VALIDATION_FAILED"

    response = await server.client.get(
        "/graphql",
        params={
            "query": "query A($to: String) { greeting(to: $to) }",
            "operationName": "",
            "variables": '{"to": "world"}',
        },
    )
    assert response.json() == {"data": {"greeting": "Hello world"}}


async def test_a_mutation_by_get_is_not_allowed(server: Server) -> None:
    response = await server.client.get("/graphql", params={"query": 'mutation { rename(to: "x") }'})

    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=%FF",
        "query={greeting}&query={broken}",
        "query={greeting}&variables=[]",
        "query={greeting}&variables={",
        "query={greeting}&variables={%22a%22:1,%22a%22:2}",
        "query={greeting}&extensions=1",
        "query={greeting}" + "&x=1" * 20,
    ],
)
async def test_a_query_string_that_is_no_well_formed_request_is_a_bad_request(
    server: Server, query_string: str
) -> None:
    response = await server.client.get(f"/graphql?{query_string}")

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_not_allowed(server: Server, method: str) -> None:
    response = await server.client.request(method, "/graphql")

    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "GET, POST"


async def test_a_body_over_the_limit_is_refused_when_it_is_announced(server: Server) -> None:
    response = await server.post("{ greeting }" + " " * 5_000)

    assert (response.status_code, code_of(response)) == (413, "REQUEST_TOO_LARGE")


async def test_a_body_of_unknown_length_is_read_up_to_the_limit_only(server: Server) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_024
            yield b" " * 1_024

    response = await server.client.post(
        "/graphql", content=endless(), headers={"content-type": JSON}
    )

    assert (response.status_code, code_of(response)) == (413, "REQUEST_TOO_LARGE")
    assert sent <= 6 * 1_024


@pytest.mark.parametrize(("given", "allowed_ms"), [("250", 250), ("999999999", 30_000)])
async def test_a_deadline_reaches_the_subgraphs_and_never_exceeds_the_limit(
    server: Server, given: str, allowed_ms: int
) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    before = loop.time()
    await server.post("{ greeting }", headers={"x-deadline-ms": given})

    assert server.context.deadline is not None
    latest = loop.time() + allowed_ms / 1_000
    assert before + allowed_ms / 1_000 <= server.context.deadline <= latest


async def test_an_answer_that_is_not_ready_by_the_deadline_is_given_without_the_late_part(
    server: Server,
) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    response = await server.post("{ slow }", headers={"x-deadline-ms": "100"})

    assert loop.time() - before < 5
    assert response.status_code == 200
    assert response.json()["data"] == {"slow": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "SUBGRAPH_TIMEOUT"


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "soon", "", "1e3", "٣"])
async def test_a_deadline_that_is_no_positive_whole_number_is_a_bad_request(
    server: Server, given: str
) -> None:
    response = await server.post("{ greeting }", headers={"x-deadline-ms": given.encode()})

    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_the_request_id_comes_back(server: Server) -> None:
    response = await server.post("{ greeting }", headers={"x-request-id": "till-7.42"})

    assert response.headers["x-request-id"] == "till-7.42"
    assert server.context.request_id == "till-7.42"


@pytest.mark.parametrize("given", [None, "two words", "x" * 200])
async def test_a_request_without_a_usable_id_gets_one(server: Server, given: str | None) -> None:
    headers = {} if given is None else {"x-request-id": given}
    response = await server.post("{ greeting }", headers=headers)

    assert response.headers["x-request-id"].startswith("req_")
    assert server.context.request_id == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("given", "language"),
    [
        (None, "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB", "en"),
        ("fr, zh;q=0.2, en;q=0.1", "zh"),
        ("fr", "en"),
        ("zh;q=0", "en"),
    ],
)
async def test_subgraphs_learn_the_language_of_the_client(
    server: Server, given: str | None, language: str
) -> None:
    headers = {} if given is None else {"accept-language": given}
    await server.post("{ greeting }", headers=headers)

    assert server.context.headers["accept-language"] == language
