"""One subgraph misbehaves in every way it can; the other one's fields must arrive all the same."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.assembly.engine import assemble_engine
from gateway.federation.engine import Engine, EngineRequest
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from gateway.transports.http import HttpTransport
from tests.faults.routing import composed
from tests.transports.raw_server import Exchange, RawServer, serving

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])'
SDL = {
    "shop": LINK
    + " type Query { products: [Product] }"
    + ' type Product @key(fields: "id") { id: ID! name: String }',
    "stock": LINK + ' type Product @key(fields: "id") { id: ID! stock: Int }',
}
QUERY = "{ products { name stock } }"
PRODUCTS = [{"__typename": "Product", "id": str(n), "name": f"tea {n}"} for n in range(3)]
CONNECTIONS_MAX = 10
MOST_SEEN_OPEN = 2 * CONNECTIONS_MAX
"""The server learns a little late that the gateway has closed one and opened another."""
REPLY_BYTES_MAX = 256 * 1024
TIMEOUT_S = 0.25
PATIENCE_S = 30.0
"""For answers that do come, however busy the machine is."""


async def answer_with_500(exchange: Exchange) -> None:
    await exchange.answer(b"<h1>sorry</h1>", status=500, content_type="text/html")


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def hang(exchange: Exchange) -> None:
    await exchange.reader.read()  # Until the other side has closed.


async def drip(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not exchange.reader.at_eof() and not exchange.writer.is_closing():
        exchange.writer.write(b" ")
        await asyncio.sleep(0.02)


async def answer_no_json(exchange: Exchange) -> None:
    await exchange.answer(b'{"data":{"_e0":[')


async def answer_another_shape(exchange: Exchange) -> None:
    await exchange.answer(b'{"data":{"_e0":{"0":{"stock":1}}}}')


async def pour_100_megabytes(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    for _ in range(1_600):
        exchange.writer.write(piece)
        await exchange.writer.drain()  # Raises once the other side has closed.


async def answer_too_few_entities(exchange: Exchange) -> None:
    await exchange.answer(b'{"data":{"_e0":[{"stock":1}]}}')


Fault = Callable[[Exchange], Awaitable[None]]
CODE_BY_FAULT: dict[Fault, str] = {
    answer_with_500: "SUBGRAPH_UNAVAILABLE",
    reset: "SUBGRAPH_UNAVAILABLE",
    hang: "SUBGRAPH_TIMEOUT",
    drip: "SUBGRAPH_TIMEOUT",
    answer_no_json: "SUBGRAPH_MALFORMED_REPLY",
    answer_another_shape: "SUBGRAPH_MALFORMED_REPLY",
    pour_100_megabytes: "SUBGRAPH_MALFORMED_REPLY",
    answer_too_few_entities: "SUBGRAPH_MALFORMED_REPLY",
}


async def answer_products(exchange: Exchange) -> None:
    await exchange.answer(json.dumps({"data": {"products": PRODUCTS}}).encode())


@asynccontextmanager
async def engine_before(
    stock: Callable[[Exchange], Awaitable[None]], *, timeout_s: float = TIMEOUT_S
) -> AsyncIterator[Any]:
    """The engine before a sound shop and this stock, and the server that is the stock."""
    async with serving(answer_products) as shop, serving(stock) as faulty:
        urls = {"shop": shop.url, "stock": faulty.url}
        supergraph = Supergraph.parse(composed(SDL, urls))
        transports = {
            name: HttpTransport(
                url,
                name=name,
                timeout_s=PATIENCE_S if name == "shop" else timeout_s,
                reply_bytes_max=REPLY_BYTES_MAX,
                connections_max=CONNECTIONS_MAX,
            )
            for name, url in urls.items()
        }
        try:
            yield assemble_engine(supergraph, transports), faulty
        finally:
            for transport in transports.values():
                await transport.aclose()


async def ask(engine: Engine) -> tuple[Any, list[Any]]:
    answer = await engine.execute(EngineRequest(QUERY), CallContext())
    return answer.data, [
        (fault.code, fault.path, fault.extensions.get("subgraph")) for fault in answer.errors
    ]


UNAFFECTED = {"products": [{"name": f"tea {n}", "stock": None} for n in range(3)]}


@pytest.mark.parametrize("fault", CODE_BY_FAULT, ids=lambda fault: fault.__name__)
async def test_a_faulty_subgraph_costs_its_own_fields_and_is_named(fault: Fault) -> None:
    timeout_s = TIMEOUT_S if CODE_BY_FAULT[fault] == "SUBGRAPH_TIMEOUT" else PATIENCE_S
    async with engine_before(fault, timeout_s=timeout_s) as (engine, _):
        data, errors = await ask(engine)

    assert data == UNAFFECTED
    assert errors == [(CODE_BY_FAULT[fault], ("products", n), "stock") for n in range(3)]


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Misbehaving:
    """Every fault in turn; notes the most connections that were open at once."""

    def __init__(self) -> None:
        self.asked = 0
        self.open_max = 0
        self.server: RawServer | None = None
        self._faults = list(CODE_BY_FAULT)

    async def answer(self, exchange: Exchange) -> None:
        assert self.server is not None
        fault = self._faults[self.asked % len(self._faults)]
        self.asked += 1
        self.open_max = max(self.open_max, self.server.open_connections)
        del self.server.exchanges[:]  # So that only the gateway could keep them.
        await fault(exchange)


async def ask_often(requests: int) -> tuple[Misbehaving, int]:
    """What the subgraph saw, and by how many bytes memory grew after the first fifth."""
    stock = Misbehaving()
    async with engine_before(stock.answer) as (engine, server):
        stock.server = server
        left = iter(range(requests))
        grown_from = 0

        async def client() -> None:
            nonlocal grown_from
            for number in left:
                if number == requests // 5:
                    grown_from = resident_bytes()
                data, errors = await ask(engine)
                assert data == UNAFFECTED
                assert {subgraph for _, _, subgraph in errors} == {"stock"}

        async with asyncio.TaskGroup() as group:
            for _ in range(2 * CONNECTIONS_MAX):
                group.create_task(client())
        grown = resident_bytes() - grown_from
    return stock, grown


needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")


@pytest.mark.slow
@needs_proc
async def test_faults_leave_no_connection_and_no_memory_behind() -> None:
    stock, grown = await ask_often(400)

    assert stock.asked >= 400
    assert stock.open_max <= MOST_SEEN_OPEN
    assert grown < 16 * 1024 * 1024


@pytest.mark.soak
@needs_proc
async def test_ten_thousand_faults_leave_no_connection_and_no_memory_behind() -> None:
    stock, grown = await ask_often(10_000)

    assert stock.asked >= 10_000
    assert stock.open_max <= MOST_SEEN_OPEN
    assert grown < 16 * 1024 * 1024
