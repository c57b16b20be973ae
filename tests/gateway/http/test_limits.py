"""Documents that ask too much are refused before they are validated or run."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query, parse

from gateway.federation.engine import EngineAnswer, EngineRequest
from gateway.federation.faults import RequestRefused
from gateway.federation.transport import CallContext
from gateway.http.limits import EndpointLimits, OperationLimits
from tests.gateway.http.running import GRAPHQL, serving

LIMITS = OperationLimits(
    depth_max=4, fields_max=20, root_fields_max=6, aliases_max=5, operations_max=2
)


def refusal_of(text: str, limits: OperationLimits = LIMITS) -> str | None:
    try:
        limits.check(parse(text))
    except RequestRefused as refused:
        return refused.faults[0].code
    return None


def nested(levels: int) -> str:
    return "{ a " * levels + "}" * levels


@pytest.mark.parametrize(
    ("at_limit", "beyond", "code"),
    [
        (nested(4), nested(5), "OPERATION_TOO_DEEP"),
        (
            "{ a { ...F } } fragment F on T { b { c { d } } }",
            "{ a { ...F } } fragment F on T { b { c { d { e } } } }",
            "OPERATION_TOO_DEEP",
        ),
        (
            "{ a { ... { b { ... on T { c { d } } } } } }",
            "{ a { ... { b { ... on T { c { d { e } } } } } } }",
            "OPERATION_TOO_DEEP",
        ),
        ("{ a { " + "b " * 19 + "} }", "{ a { " + "b " * 20 + "} }", "OPERATION_TOO_LARGE"),
        ("{" + " a" * 6 + "}", "{" + " a" * 7 + "}", "OPERATION_TOO_LARGE"),
        (
            "{ ...F ...F } fragment F on Query { a b c }",
            "{ ...F ...F g } fragment F on Query { a b c }",
            "OPERATION_TOO_LARGE",
        ),
        (
            "{ a { v: b w: b x: b y: b z: b } }",
            "{ a { u: b v: b w: b x: b y: b z: b } }",
            "OPERATION_TOO_LARGE",
        ),
        (
            "query A { a } query B { a }",
            "query A { a } query B { a } query C { a }",
            "OPERATION_TOO_LARGE",
        ),
        ("query A { a } query B { a }", "query A { a } query B " + nested(5), "OPERATION_TOO_DEEP"),
    ],
)
def test_each_limit_lets_its_own_value_pass_and_refuses_one_more(
    at_limit: str, beyond: str, code: str
) -> None:
    assert refusal_of(at_limit) is None
    assert refusal_of(beyond) == code


def fragment_bomb(levels: int) -> str:
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)]
    return "{ ...F0 } " + " ".join(fragments) + f" fragment F{levels} on Query {{ a }}"


def test_fragments_that_double_at_each_level_are_refused_at_once() -> None:
    document = parse(fragment_bomb(40))
    started = time.process_time()

    with pytest.raises(RequestRefused):
        OperationLimits().check(document)

    assert time.process_time() - started < 0.5


def test_a_long_chain_of_fragments_is_refused_and_not_followed_to_its_end() -> None:
    chain = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(3_000))

    assert refusal_of("{ ...F0 } " + chain, OperationLimits()) == "OPERATION_TOO_DEEP"


@pytest.mark.parametrize(
    "text",
    [
        "{ ...F } fragment F on Query { a ...F }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { b ...F }",
        "{ ...Unknown }",
    ],
)
def test_fragments_that_validation_refuses_do_no_harm_here(text: str) -> None:
    assert refusal_of(text) is None


def test_the_usual_introspection_query_keeps_the_default_limits() -> None:
    assert refusal_of(get_introspection_query(), OperationLimits()) is None


@pytest.mark.parametrize(
    ("limits", "query", "code"),
    [
        (
            OperationLimits(depth_max=3),
            "{ nested { nested { nested { name } } } }",
            "OPERATION_TOO_DEEP",
        ),
        (OperationLimits(fields_max=2), "{ unknown1 unknown2 unknown3 }", "OPERATION_TOO_LARGE"),
        (OperationLimits(document_chars_max=20), "{ greeting }" + " " * 20, "DOCUMENT_TOO_LARGE"),
        (
            OperationLimits(tokens_max=5),
            "{ greeting greeting greeting greeting }",
            "GRAPHQL_PARSE_FAILED",
        ),
    ],
)
async def test_a_document_over_a_limit_is_answered_by_400(
    tmp_path: Path, limits: OperationLimits, query: str, code: str
) -> None:
    async with serving(tmp_path, limits=EndpointLimits(operation=limits)) as server:
        response = await server.post(query, headers={"accept": GRAPHQL})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == code
    assert server.subgraph.contexts == []


class HeldEngine:
    """Answers nothing until it is let go."""

    def __init__(self) -> None:
        self.started = 0
        self.may_answer = asyncio.Event()
        self.all_started = asyncio.Event()

    def prepare(self, request: EngineRequest) -> Any:
        raise AssertionError("only GET asks for this")

    async def execute(self, request: EngineRequest, context: CallContext) -> EngineAnswer:
        self.started += 1
        if self.started == 2:
            self.all_started.set()
        await self.may_answer.wait()
        return EngineAnswer({"greeting": "late"}, (), "query", executed=True)


async def test_one_request_too_many_is_refused_and_may_be_repeated(tmp_path: Path) -> None:
    engine = HeldEngine()
    async with serving(tmp_path, limits=EndpointLimits(concurrent_max=2), engine=engine) as server:
        waiting = [asyncio.create_task(server.post("{ greeting }")) for _ in range(2)]
        await engine.all_started.wait()

        refused = await server.post("{ greeting }")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["errors"][0]["extensions"] == {
            "code": "OVERLOADED",
            "retryable": True,
        }

        engine.may_answer.set()
        assert {response.status_code for response in await asyncio.gather(*waiting)} == {200}
        assert (await server.post("{ greeting }")).status_code == 200
