"""Whoever delivers is killed between sending and marking: nothing is lost, and cards keep order."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from aiohttp import web

from tests.faults.booker import LEDGER, book
from tests.ledger.book import Books

ROOT = Path(__file__).parents[2]
BOOKED_A_ROUND = 30


@dataclass(slots=True)
class Tally:
    rounds: int = 0
    kills: int = 0
    booked: int = 0
    deliveries: int = 0
    repeated: int = 0
    lost: int = 0
    disordered: int = 0
    changed: int = 0


@dataclass
class Receiver:
    """Takes every message; drops no repeat, to see them all."""

    got: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((request.headers["webhook-id"], (await request.read()).decode()))
        return web.Response(status=204)

    def told(self) -> dict[str, str]:
        """Payload by id, in the order in which each came first."""
        first: dict[str, str] = {}
        for message_id, payload in self.got:
            first.setdefault(message_id, payload)
        return first


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield receiver, f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def courier(directory: Path, url: str, last: int) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.courier", str(directory), url, str(last), cwd=ROOT
    )
    return await asyncio.wait_for(process.wait(), 60)


async def book_some(directory: Path, first: int) -> list[tuple[str | None, int, int]]:
    """Books a few more; card, lane and number of every transaction there is."""
    books = await Books.open(directory / LEDGER)
    for key in range(first, first + BOOKED_A_ROUND):
        await book(books, key)
    rows = await books.rows("SELECT card_id, lane, seq FROM ledger_tx ORDER BY lane, seq")
    assert (await books.verify()).is_sound
    await books.close()
    return rows


async def deliver_through_kills(directory: Path, rounds: int, chance: Random) -> Tally:
    tally = Tally()
    async with receiving() as (receiver, url):
        for number in range(rounds):
            booked = await book_some(directory, 1 + number * BOOKED_A_ROUND)
            tally.kills += await courier(directory, url, chance.randrange(1, 20)) == -9
            tally.rounds += 1
        assert await courier(directory, url, 0) == 0
    told = receiver.told()
    times = Counter(message_id for message_id, _ in receiver.got)
    by_card: dict[str | None, list[tuple[int, int]]] = {}
    for payload in told.values():
        data = json.loads(payload)["data"]
        lane, seq = map(int, data["transaction"].split("-"))
        by_card.setdefault(data["cardId"], []).append((lane, seq))
    tally.booked, tally.deliveries = len(booked), len(receiver.got)
    tally.repeated = sum(count - 1 for count in times.values())
    tally.lost = len(set(booked) - {(card, *tx) for card, txs in by_card.items() for tx in txs})
    tally.disordered = sum(txs != sorted(txs) for txs in by_card.values())
    tally.changed = sum(told[message_id] != payload for message_id, payload in receiver.got)
    assert len(told) == tally.booked
    print(tally)
    return tally


def assert_nothing_went_wrong(tally: Tally) -> None:
    assert tally.kills == tally.rounds
    assert tally.repeated >= tally.rounds
    assert (tally.lost, tally.disordered, tally.changed) == (0, 0, 0)


@pytest.mark.slow
async def test_a_courier_killed_before_it_marks_sends_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    assert_nothing_went_wrong(await deliver_through_kills(tmp_path, 2, Random("courier")))


@pytest.mark.soak
async def test_forty_killed_couriers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        assert_nothing_went_wrong(await deliver_through_kills(tmp_path, 40, Random("couriers")))
