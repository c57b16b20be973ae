"""Several gateways share a ledger on PostgreSQL, and keep losing their connections.

Their way leads through a relay that sometimes lets a COMMIT through and cuts the line before the
answer comes back; and the server's side is ended every 150 ms besides. Every client asks again
with the same key, through another gateway, until it is answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import asyncpg
import pytest

from kernel.database import DatabaseUnavailable, Overloaded
from ledger.contract import OrderReceipt
from tests.faults.relay import relayed
from tests.ledger.book import Books
from tests.places import Places

GATEWAYS = 4
pytestmark = pytest.mark.postgresql


async def end_connections(url: str, every_seconds: float) -> None:
    """Ends one of the server's other connections, again and again."""
    connection = await asyncpg.connect(url)
    try:
        while True:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid = (SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND backend_type = 'client backend' ORDER BY random() LIMIT 1)"
            )
            await asyncio.sleep(every_seconds)
    finally:
        await connection.close()


@dataclass
class Tally:
    keys: int = 0
    acknowledged_fresh: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    unavailable: int = 0


async def ask_until_answered(gateways: list[Books], key: int, chance: Random, tally: Tally) -> None:
    while True:
        tally.asked += 1
        try:
            receipt: OrderReceipt = await chance.choice(gateways).order(
                f"o{key}", "ABC"[key % 3], f"m{key % 7}", earned=1 + key % 9, spent=key % 4
            )
        except (DatabaseUnavailable, Overloaded):
            tally.unavailable += 1
            continue
        tally.acknowledged_fresh[f"o{key}"] += not receipt.replayed
        return


async def opened(address: str) -> Books:
    """A gateway's ledger; the relay may cut its opening off as well."""
    while True:
        try:
            return await Books.open(address, lanes=3)
        except DatabaseUnavailable:
            continue


async def cut_off(places: Places, room: Path, *, keys: int, drop_rate: float) -> Tally:
    address = str(places.address("ledger"))
    whole = await Books.open(address, lanes=3)
    tally = Tally(keys)
    async with relayed(address, room, drop_rate) as (relay, through):
        gateways = [await opened(through) for _ in range(GATEWAYS)]
        ending = asyncio.create_task(end_connections(places.server.url, 0.15))
        chance = Random("clients")
        # Each key is asked for three times, by clients that run beside each other.
        clients = [
            ask_until_answered(gateways, key % keys, chance, tally) for key in range(3 * keys)
        ]
        crowd = asyncio.Semaphore(64)

        async def in_turn(client) -> None:
            async with crowd:
                await client

        await asyncio.gather(*(in_turn(client) for client in clients))
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending
        for gateway in gateways:
            await gateway.close()
        assert relay.dropped > 0

    print(
        f"{keys} keys, {tally.asked} requests, {tally.unavailable} unavailable, "
        f"{relay.dropped} replies to COMMIT dropped"
    )
    booked = await whole.rows(
        "SELECT order_no, count(*) FROM ledger_tx WHERE kind = 'ORDER' GROUP BY order_no"
    )
    assert len(booked) == keys
    assert all(times == 1 for _, times in booked)
    assert max(tally.acknowledged_fresh.values()) <= 1
    assert (await whole.verify()).findings == ()
    await whole.close()
    return tally


@pytest.mark.slow
async def test_gateways_that_lose_their_connections_book_each_key_once(
    places: Places, tmp_path: Path
) -> None:
    await cut_off(places, tmp_path, keys=40, drop_rate=0.2)


@pytest.mark.soak
async def test_gateways_that_lose_their_connections_for_long(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        await cut_off(places, tmp_path, keys=1_000, drop_rate=0.05)
