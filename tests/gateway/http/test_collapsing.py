"""Equal queries share one answer only when nothing can tell them apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.access.authentication import Anonymous
from gateway.assembly.router import Router
from gateway.federation.engine import EngineAnswer, EngineRequest
from gateway.federation.faults import Fault
from gateway.federation.supergraph import Supergraph
from gateway.http import collapsing
from gateway.http.app import Running, create_app
from gateway.http.collapsing import Answered, QueriesUnderWay, sharing_key
from gateway.http.limits import OperationLimits
from kernel.ids import SeededIds
from tests.faults.routing import composed
from tests.transports.raw_server import Exchange, serving

SDL = "type Query { word(of: Int): String other: String } type Mutation { set: String }"


@dataclass
class Words:
    """A router over one subgraph, which answers when it is released, each time another word."""

    client: httpx.AsyncClient
    router: Router
    supergraph: Supergraph
    arrivals: asyncio.Queue[Exchange] = field(default_factory=asyncio.Queue)
    seen: list[Exchange] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[bool] = field(default_factory=list)

    async def ask(self, query: str = "{ word }", **options: Any) -> Any:
        headers = options.pop("headers", {})
        reply = await self.client.post(
            "/graphql", json={"query": query, **options}, headers=headers
        )
        return reply.json()

    async def answer(self, exchange: Exchange) -> None:
        self.seen.append(exchange)
        self.arrivals.put_nowait(exchange)
        number = len(self.seen)
        asked = json.loads(exchange.body)["query"]
        if "set" not in asked:
            await self.released.wait()
        if self.failures and self.failures.pop():
            await exchange.answer(b'{"errors": [{"message": "no"}], "data": {"word": null}}')
            return
        name = next(name for name in ("word", "other", "set") if name in asked)
        await exchange.answer(json.dumps({"data": {name: f"{name} {number}"}}).encode())

    async def arrived(self) -> None:
        """Returns when one more request has come to the subgraph."""
        await asyncio.wait_for(self.arrivals.get(), 5)


@asynccontextmanager
async def routing(*, collapses: bool = True) -> AsyncIterator[Words]:
    words: list[Words] = []
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(lambda one: words[0].answer(one)))
        supergraph = Supergraph.parse(composed({"words": SDL}, {"words": server.url}))
        router = Router(supergraph, limits=OperationLimits())
        stack.push_async_callback(router.aclose)

        @asynccontextmanager
        async def open_router() -> AsyncIterator[Running]:
            yield Running(router, Anonymous(), version=router.version if collapses else None)

        app = create_app(open_router, ids=SeededIds("words"), passed_headers=["x-shop"])
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://gateway")
        words.append(Words(await stack.enter_async_context(client), router, supergraph))
        yield words[0]


async def both(words: Words, one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """Answers to two requests, the second made while the first is under way."""
    first = asyncio.create_task(words.ask(**one))
    await words.arrived()
    second = asyncio.create_task(words.ask(**other))
    await turns()
    words.released.set()
    return [await first, await second]


async def turns() -> None:
    """Lets everything happen that needs no one's answer."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_equal_queries_under_way_together_share_one_answer() -> None:
    async with routing() as words:
        answers = await both(words, {}, {})

    assert answers == [{"data": {"word": "word 1"}}] * 2
    assert len(words.seen) == 1


async def test_nothing_is_shared_unless_asked_for() -> None:
    async with routing(collapses=False) as words:
        await both(words, {}, {})

    assert len(words.seen) == 2


async def test_a_query_after_the_answer_is_run_anew() -> None:
    async with routing() as words:
        words.released.set()
        answers = [await words.ask(), await words.ask()]

    assert answers == [{"data": {"word": "word 1"}}, {"data": {"word": "word 2"}}]


AUTHORISED = {"authorization": "Bearer ada"}
VARIABLE = "query($n: Int) { word(of: $n) }"
NAMED = "query A { word } query B { word }"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"headers": AUTHORISED}, {"headers": {"authorization": "Bearer bob"}}),
        ({"headers": AUTHORISED}, {}),
        ({"headers": {"x-shop": "a"}}, {"headers": {"x-shop": "b"}}),
        ({"headers": {"x-shop": "a"}}, {}),
        ({"headers": {"accept-language": "zh"}}, {}),
        ({"headers": {"x-deadline-ms": "9000"}}, {}),
        ({"query": VARIABLE, "variables": {"n": 1}}, {"query": VARIABLE, "variables": {"n": 2}}),
        ({"query": VARIABLE, "variables": {"n": None}}, {"query": VARIABLE}),
        ({"query": NAMED, "operationName": "A"}, {"query": NAMED, "operationName": "B"}),
        ({"query": "{ word }"}, {"query": "{ word  }"}),
        ({"query": "{ word }"}, {"query": "{ other }"}),
    ],
)
async def test_whatever_may_change_the_answer_keeps_queries_apart(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    async with routing() as words:
        first, second = await both(words, one, other)

    assert len(words.seen) == 2
    assert first != second


async def test_headers_that_no_subgraph_sees_keep_nothing_apart() -> None:
    async with routing() as words:
        await both(words, {"headers": {"x-other": "a", "x-request-id": "r1"}}, {})

    assert len(words.seen) == 1


async def test_mutations_are_never_shared() -> None:
    async with routing() as words:
        answers = await asyncio.gather(*(words.ask("mutation { set }") for _ in range(3)))

    assert len(words.seen) == 3
    assert len({json.dumps(answer) for answer in answers}) == 3


async def test_who_asks_after_a_change_gets_nothing_read_before_it() -> None:
    async with routing() as words:
        before = asyncio.create_task(words.ask())
        await words.arrived()
        await words.ask("mutation { set }")
        await words.arrived()
        after = asyncio.create_task(words.ask())
        await words.arrived()
        words.released.set()
        answers = [await before, await after]

    assert answers[0] != answers[1]


async def test_who_asks_after_a_reload_is_answered_by_the_new_supergraph() -> None:
    async with routing() as words:
        before = asyncio.create_task(words.ask())
        await words.arrived()
        words.router.serve(words.supergraph)
        after = asyncio.create_task(words.ask())
        await words.arrived()
        words.released.set()
        await asyncio.gather(before, after)

    assert len(words.seen) == 2


async def test_an_answer_with_an_error_is_not_shared() -> None:
    async with routing() as words:
        words.failures = [False, True]
        first, second = await both(words, {}, {})

    assert first["data"] == {"word": None}
    assert second == {"data": {"word": "word 2"}}


async def test_a_leader_that_is_cancelled_leaves_its_followers_to_ask_themselves() -> None:
    async with routing() as words:
        leader = asyncio.create_task(words.ask())
        await words.arrived()
        followers = [asyncio.create_task(words.ask()) for _ in range(3)]
        await turns()
        leader.cancel()
        words.released.set()
        answers = await asyncio.gather(*followers)

    assert leader.cancelled()
    assert {answer["data"]["word"] for answer in answers} == {"word 2", "word 3", "word 4"}


async def test_a_follower_that_is_cancelled_costs_no_one_else_the_answer() -> None:
    async with routing() as words:
        leader = asyncio.create_task(words.ask())
        await words.arrived()
        gone, stays = asyncio.create_task(words.ask()), asyncio.create_task(words.ask())
        await turns()
        gone.cancel()
        await turns()
        words.released.set()
        answers = await asyncio.gather(leader, stays)

    assert gone.cancelled()
    assert answers == [{"data": {"word": "word 1"}}] * 2


def answering(
    gate: asyncio.Event, *, errors: tuple[Fault, ...] = ()
) -> tuple[Callable[[], Any], list[int]]:
    runs: list[int] = []

    async def answer() -> Answered:
        runs.append(1)
        await gate.wait()
        return Answered(EngineAnswer({}, errors, "query", executed=True), b"%d" % len(runs))

    return answer, runs


async def test_a_leader_that_raises_leaves_its_followers_to_ask_themselves() -> None:
    queries, gate = QueriesUnderWay(), asyncio.Event()
    answer, runs = answering(gate)

    async def fail() -> Answered:
        await gate.wait()
        raise RuntimeError("a bug")

    leader = asyncio.create_task(queries.answered("k", fail))
    await asyncio.sleep(0)
    follower = asyncio.create_task(queries.answered("k", answer))
    await asyncio.sleep(0)
    gate.set()

    with pytest.raises(RuntimeError, match="a bug"):
        await leader
    assert (await follower).is_whole
    assert len(runs) == 1


async def test_only_so_many_follow_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collapsing, "FOLLOWERS_MAX", 2)
    queries, gate = QueriesUnderWay(), asyncio.Event()
    answer, runs = answering(gate)

    tasks = [asyncio.create_task(queries.answered("k", answer)) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)

    assert len(runs) == 3
    assert queries.shared == 2


async def test_no_one_joins_a_query_that_began_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collapsing, "JOIN_WITHIN_S", -1.0)
    queries, gate = QueriesUnderWay(), asyncio.Event()
    answer, runs = answering(gate)

    tasks = [asyncio.create_task(queries.answered("k", answer)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*tasks)

    assert len(runs) == 3


def test_variables_are_told_apart_as_json_tells_them() -> None:
    def key(**variables: Any) -> object:
        return sharing_key(EngineRequest("{ a }", None, variables), {})

    assert len({key(a=1), key(a=True), key(a="1"), key(a=1.0), key(a=None), key()}) == 6
    assert key(a=1, b=2) == key(b=2, a=1)
    assert key(a=2**70) is None
