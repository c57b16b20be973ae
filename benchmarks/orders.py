"""Joins, checkouts and refunds a second through HTTP, beside the commits a second of the disk.

The server is a process of its own, this one is its client; one order is fsynced by the alliance,
the merchant's backend and the ledger before it is answered. Processor time of the server is told
too: it says more than the clock on a machine that others use.

`python -m benchmarks.orders 3000` sends that many orders instead of 600.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient
from gateway.feeding.server import FeedServer
from gateway.feeding.tokens import FeedTokens
from gateway.replay.history import STORE_POS, WEB_SHOP, History, HistoryMerchant
from gateway.replay.setting_up import CURRENCY, Names, set_up

MEMBERS = 40
MERCHANTS = 8
ORDERS = 600
REFUNDED_EVERY = 6
AT_ONCE = 32
YARDSTICK_SECONDS = 1.0
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shop:
    """What the phases of the benchmark work with."""

    client: GraphQLClient
    names: Names
    token_of: Callable[[str], str]
    server_pid: int


def main(orders: int = ORDERS) -> None:
    """Prints requests a second and the server's processor time for each kind."""
    with tempfile.TemporaryDirectory() as directory:
        commits_per_second = _commits_per_second(Path(directory) / "yardstick.db")
        print(f"yardstick: {commits_per_second:.0f} commits/s of one row, synchronous=FULL")
        server = FeedServer(Path(directory), now=NOW)
        try:
            server.wait_until_ready()
            asyncio.run(_run(server, Path(directory), orders, commits_per_second))
        finally:
            server.stop()


async def _run(
    server: FeedServer, directory: Path, order_count: int, commits_per_second: float
) -> None:
    tokens = FeedTokens(directory)
    references = [f"shop-{number}" for number in range(MERCHANTS)]
    history = History(tuple(HistoryMerchant(name, name) for name in references), days=())
    assert server.pid is not None
    async with GraphQLClient(server.url) as client:
        names = await set_up(client, history, admin_token=tokens.admin("bench"))
        shop = Shop(client, names, functools.cache(tokens.merchant), server.pid)
        pairs = [
            (f"member-{member}", reference) for member in range(MEMBERS) for reference in references
        ]
        joins = [functools.partial(_join, shop, *pair) for pair in pairs]
        cards = dict(await _measure(shop, "join", joins, commits_per_second))
        chosen = random.Random(7).choices(pairs, k=order_count)
        orders = [
            functools.partial(_sell, shop, number, cards[member], reference)
            for number, (member, reference) in enumerate(chosen)
        ]
        order_ids = await _measure(shop, "order", orders, commits_per_second)
        refunds = [
            functools.partial(_refund, shop, number, *order_ids[number])
            for number in range(0, order_count, REFUNDED_EVERY)
        ]
        await _measure(shop, "refund", refunds, commits_per_second)


async def _measure(
    shop: Shop,
    kind: str,
    calls: Sequence[Callable[[], Awaitable[Any]]],
    commits_per_second: float,
) -> list[Any]:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(call: Callable[[], Awaitable[Any]]) -> Any:
        async with at_once:
            return await call()

    started, own_cpu, server_cpu = time.perf_counter(), _cpu_s(os.getpid()), _cpu_s(shop.server_pid)
    answers = await asyncio.gather(*(one(call) for call in calls))
    per_second = len(calls) / (time.perf_counter() - started)
    server_ms = (_cpu_s(shop.server_pid) - server_cpu) * 1_000 / len(calls)
    own_ms = (_cpu_s(os.getpid()) - own_cpu) * 1_000 / len(calls)
    print(
        f"{kind}: {per_second:.0f}/s, {per_second / commits_per_second:.3f} of the yardstick, "
        f"processor {server_ms:.2f} ms in the server, {own_ms:.2f} ms in the client"
    )
    return answers


async def _join(shop: Shop, member: str, reference: str) -> tuple[str, str]:
    joined = await shop.client.change(
        operations.JOIN,
        _input(
            f"join-{member}-{reference}",
            storeId=shop.names.stores[reference, STORE_POS],
            credential={"merchantReference": {"issuer": "bench", "value": member}},
            consents=[],
        ),
        token=shop.token_of(shop.names.merchants[reference]),
        success="Joined",
    )
    return member, joined["member"]["card"]["id"]


async def _sell(shop: Shop, number: int, card_id: str, reference: str) -> tuple[str, str]:
    channel = WEB_SHOP if number % 3 else STORE_POS
    lines = [
        {
            "sku": f"sku-{(number + line) % 50}",
            "categoryId": f"category-{line}",
            "quantity": 1 + line,
            "unitPrice": {"amountMinor": 350 + 7 * (number % 90), "currency": CURRENCY},
        }
        for line in range(1 + number % 2)
    ]
    captured = await shop.client.change(
        operations.CHECKOUT,
        _input(
            f"order-{number}",
            orderNo=str(number),
            cart={
                "storeId": shop.names.stores[reference, channel],
                "cardId": card_id,
                "lines": lines,
            },
        ),
        token=shop.token_of(shop.names.merchants[reference]),
        success="CheckoutCaptured",
    )
    return captured["order"]["id"], reference


async def _refund(shop: Shop, number: int, order_id: str, reference: str) -> None:
    await shop.client.change(
        operations.REFUND_ORDER,
        _input(
            f"refund-{number}",
            orderId=order_id,
            refundNo=str(number),
            amount={"amountMinor": 100, "currency": CURRENCY},
        ),
        token=shop.token_of(shop.names.merchants[reference]),
        success="OrderRefunded",
    )


def _input(request_id: str, **fields: Any) -> dict[str, Any]:
    return {"input": {"requestId": request_id, **fields}}


def _cpu_s(pid: int) -> float:
    """Processor seconds of a process, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _commits_per_second(path: Path) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, value INTEGER)")
    commits, started = 0, time.perf_counter()
    while time.perf_counter() - started < YARDSTICK_SECONDS:
        connection.execute("INSERT INTO row (value) VALUES (1)")
        commits += 1
    per_second = commits / (time.perf_counter() - started)
    connection.close()
    return per_second


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
