from __future__ import annotations

import asyncio

from gateway.assembly.router import Router, following
from gateway.federation.engine import EngineRequest
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from gateway.http.limits import OperationLimits
from tests.faults.routing import answering, composed
from tests.transports.raw_server import Exchange, serving

WORDS = {"words": "type Query { word: String }"}


def words_at(url: str) -> Supergraph:
    return Supergraph.parse(composed(WORDS, {"words": url}))


async def word_of(router: Router, **options: str) -> object:
    answer = await router.execute(EngineRequest("{ word }"), CallContext(**options))
    return answer.as_json()


async def test_a_request_under_way_ends_by_the_supergraph_it_began_with() -> None:
    arrived, released = asyncio.Event(), asyncio.Event()

    async def late(exchange: Exchange) -> None:
        arrived.set()
        await released.wait()
        await exchange.answer(b'{"data":{"word":"old"}}')

    async with serving(late) as old, answering({"/": {"word": "new"}}) as new:
        router = Router(words_at(old.url), limits=OperationLimits())
        under_way = asyncio.create_task(word_of(router))
        await arrived.wait()
        router.serve(words_at(f"{new}/"))
        meanwhile = await word_of(router)
        released.set()
        answer = await under_way
        await router.aclose()

    assert meanwhile == {"data": {"word": "new"}}
    assert answer == {"data": {"word": "old"}}


async def test_closing_ends_requests_of_an_older_supergraph_too() -> None:
    arrived = asyncio.Event()

    async def never(exchange: Exchange) -> None:
        arrived.set()
        await asyncio.Event().wait()

    async with serving(never) as old:
        router = Router(words_at(old.url), limits=OperationLimits())
        under_way = asyncio.create_task(word_of(router))
        await arrived.wait()
        router.serve(words_at("http://127.0.0.1:9/"))
        await router.aclose()
        answer = await under_way

    assert answer["errors"][0]["extensions"]["code"] == "SUBGRAPH_UNAVAILABLE"  # type: ignore[index]


async def test_a_supergraph_that_can_not_be_read_leaves_the_old_one() -> None:
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> Supergraph:
        loop.call_soon_threadsafe(tried.set)
        raise OSError("the disk is gone")

    async with answering({"/": {"word": "old"}}) as url:
        router = Router(words_at(f"{url}/"), limits=OperationLimits())
        async with following(router, read, lambda: 1, served=1) as reload:
            reload()
            await tried.wait()
            answer = await word_of(router)
        await router.aclose()

    assert answer == {"data": {"word": "old"}}


async def test_override_labels_choose_the_subgraph_for_each_request() -> None:
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: [%s])'
    sdl_by_name = {
        "old": link % '"@shareable"' + " type Query { word: String }",
        "new": link % '"@override"'
        + ' type Query { word: String @override(from: "old", label: "percent(50)") }',
    }
    async with answering({"/old": {"word": "old"}, "/new": {"word": "new"}}) as url:
        merged = composed(sdl_by_name, {name: f"{url}/{name}" for name in sdl_by_name})
        router = Router(Supergraph.parse(merged), limits=OperationLimits())
        words = {str(await word_of(router, request_id=f"r{number}")) for number in range(40)}
        again = {str(await word_of(router, request_id="r1")) for _ in range(5)}
        await router.aclose()

    assert words == {"{'data': {'word': 'old'}}", "{'data': {'word': 'new'}}"}
    assert len(again) == 1
