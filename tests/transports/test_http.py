from __future__ import annotations

import asyncio
import json

import pytest

from gateway.federation.transport import (
    CallContext,
    SubgraphRequest,
    TransportFailed,
)
from gateway.transports.http import HttpTransport
from tests.transports.raw_server import (
    MUTATION,
    QUERY,
    Exchange,
    Handler,
    asked_once,
    connected,
    failing_code,
    saying,
    serving,
)


async def test_an_operation_is_posted_with_its_variables_and_headers() -> None:
    request = SubgraphRequest("query($n: Int) { now }", "query", {"n": 2**70, "s": "é"})
    context = CallContext(
        headers={"X-Trace": "t1", "authorization": "client", "Content-Length": "3", "HOST": "x"}
    )

    async with (
        serving(saying(b'{"data": {"now": 1}}')) as server,
        connected(server.url, header_factory=lambda context: {"Authorization": "own"}) as transport,
    ):
        reply = await transport.execute(request, context)

    assert reply.data == {"now": 1}
    assert json.loads(server.exchanges[0].body) == {
        "query": request.document,
        "variables": {"n": 2**70, "s": "é"},
    }
    head = server.exchanges[0].head
    assert "x-trace: t1" in head
    assert "authorization: own" in head
    assert [head.lower().count(name) for name in ("content-length:", "host:", "client")] == [
        1,
        1,
        0,
    ]


async def test_connections_are_kept_for_the_next_call() -> None:
    async with (
        serving(saying(b'{"data": {"now": 1}}')) as server,
        connected(server.url) as transport,
    ):
        for _ in range(3):
            await transport.execute(QUERY, CallContext())

    assert server.connections == 1
    assert len(server.exchanges) == 3


@pytest.mark.parametrize("content_type", ["text/plain", "application/graphql-response+json", ""])
async def test_any_content_type_will_do(content_type: str) -> None:
    reply = await asked_once(saying(b'{"data": {"now": 1}}', content_type=content_type))

    assert reply.data == {"now": 1}


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_graphql_errors_are_a_reply_whatever_the_status(status: int) -> None:
    body = b'{"errors": [{"message": "no"}], "data": null}'

    reply = await asked_once(saying(body, status=status))

    assert reply.data is None
    assert reply.errors == [{"message": "no"}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"oops", 500),
        (b"", 502),
        (b'{"data": {"now": 1}}', 503),
        (b'{"errors": []}', 500),
        (b'{"data": {"now": 1}}', 302),
    ],
)
async def test_another_status_without_graphql_errors_is_unavailable(
    body: bytes, status: int
) -> None:
    assert await failing_code(saying(body, status=status)) == "SUBGRAPH_UNAVAILABLE"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"3", b"{}", b'{"data": []}', b'{"data": {}, "errors": {}}', b"\xff"],
)
async def test_a_reply_that_is_not_graphql_is_malformed(body: bytes) -> None:
    assert await failing_code(saying(body)) == "SUBGRAPH_MALFORMED_REPLY"


async def test_a_long_reply_is_given_up_while_it_comes() -> None:
    sent = 0
    is_over = asyncio.Event()

    async def pour(exchange: Exchange) -> None:
        nonlocal sent
        chunk = b" " * 65_536
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        try:
            while sent < 104_857_600:
                exchange.writer.write(chunk)
                await exchange.writer.drain()
                sent += len(chunk)
        finally:
            is_over.set()

    async with (
        serving(pour) as server,
        connected(server.url, reply_bytes_max=1_000_000) as transport,
    ):
        with pytest.raises(TransportFailed) as caught:
            await transport.execute(QUERY, CallContext())
        await asyncio.wait_for(is_over.wait(), 5)

    assert caught.value.code == "SUBGRAPH_MALFORMED_REPLY"
    assert sent < 50_000_000


async def test_a_reply_of_just_the_longest_size_is_taken() -> None:
    body = b'{"data": {"now": 1}}'

    reply = await asked_once(saying(body), reply_bytes_max=len(body))

    assert reply.data == {"now": 1}


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def test_a_subgraph_that_hangs_is_left_after_its_own_time() -> None:
    assert await failing_code(hang, timeout_s=0.05) == "SUBGRAPH_TIMEOUT"


async def test_a_deadline_ends_the_wait_before_the_subgraphs_own_time() -> None:
    loop = asyncio.get_running_loop()

    async with serving(hang) as server, connected(server.url, timeout_s=60) as transport:
        with pytest.raises(TransportFailed) as caught:
            await transport.execute(QUERY, CallContext(deadline=loop.time() + 0.05))

    assert caught.value.code == "SUBGRAPH_TIMEOUT"


async def test_a_body_that_never_ends_is_left_in_time() -> None:
    async def half(exchange: Exchange) -> None:
        exchange.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"data"')
        await exchange.writer.drain()
        await asyncio.Event().wait()

    assert await failing_code(half, timeout_s=0.05) == "SUBGRAPH_TIMEOUT"


async def test_a_body_that_is_cut_is_unavailable() -> None:
    async def cut(exchange: Exchange) -> None:
        exchange.writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"data"')
        await exchange.writer.drain()
        exchange.writer.close()

    assert await failing_code(cut) == "SUBGRAPH_UNAVAILABLE"


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with serving(hang) as server:
        url = server.url

    async with connected(url) as transport:
        with pytest.raises(TransportFailed) as caught:
            await transport.execute(QUERY, CallContext())

    assert caught.value.code == "SUBGRAPH_UNAVAILABLE"


def resetting_first(times: int) -> Handler:
    async def handle(exchange: Exchange) -> None:
        if exchange.number < times:
            exchange.reset()
        else:
            await exchange.answer(b'{"data": {"now": 1}}')

    return handle


async def test_a_query_is_sent_once_more_when_its_connection_was_dead() -> None:
    async with (
        serving(resetting_first(1)) as server,
        connected(server.url) as transport,
    ):
        reply = await transport.execute(QUERY, CallContext())

    assert reply.data == {"now": 1}
    assert len(server.exchanges) == 2


async def test_a_query_is_not_sent_a_third_time() -> None:
    async with serving(resetting_first(9)) as server, connected(server.url) as transport:
        with pytest.raises(TransportFailed) as caught:
            await transport.execute(QUERY, CallContext())

    assert caught.value.code == "SUBGRAPH_UNAVAILABLE"
    assert len(server.exchanges) == 2


async def test_a_mutation_is_never_sent_twice() -> None:
    async with serving(resetting_first(1)) as server, connected(server.url) as transport:
        with pytest.raises(TransportFailed) as caught:
            await transport.execute(MUTATION, CallContext())

    assert caught.value.code == "SUBGRAPH_UNAVAILABLE"
    assert len(server.exchanges) == 1


async def test_a_closed_transport_fails_and_closing_again_does_no_harm() -> None:
    transport = HttpTransport("http://127.0.0.1:9/graphql", name="reviews")
    await transport.aclose()
    await transport.aclose()

    with pytest.raises(TransportFailed):
        await transport.execute(QUERY, CallContext())


async def test_cookies_of_one_reply_are_not_sent_with_the_next_call() -> None:
    async def handle(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 OK\r\nSet-Cookie: who=me\r\nContent-Length: 20\r\n\r\n"
        exchange.writer.write(head + b'{"data": {"now": 1}}')
        await exchange.writer.drain()

    async with serving(handle) as server, connected(server.url) as transport:
        await transport.execute(QUERY, CallContext())
        await transport.execute(QUERY, CallContext())

    assert "cookie" not in server.exchanges[1].head.lower()


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "http://me:secret@host/", "graphql"])
def test_only_plain_http_addresses_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        HttpTransport(url, name="reviews")
