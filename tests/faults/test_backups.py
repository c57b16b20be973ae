"""A backup that was taken while the ledger booked is a whole ledger."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from kernel.clock import from_micros
from kernel.database.sqlite_dialect import connect
from kernel.graphql import format_datetime
from ledger.outbox.outbox_sql import Waiting
from tests.faults.booker import book
from tests.faults.ledger_images import look_into
from tests.ledger.book import Books


def vacuum_into(source: Path, target: Path) -> None:
    connection = connect(source)
    connection.execute("VACUUM INTO ?", (str(target),))
    connection.close()


def back_up_online(source: Path, target: Path) -> None:
    connection, copy = connect(source), connect(target)
    with copy.backup("main", connection, "main") as backup:
        while not backup.done:
            backup.step(64)
    copy.close()
    connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("take", [vacuum_into, back_up_online])
async def test_a_backup_taken_under_load_is_whole(tmp_path: Path, take) -> None:
    books = await Books.open(tmp_path / "ledger.sqlite")
    acknowledged: set[int] = set()
    stopping, progress = asyncio.Event(), asyncio.Event()

    async def client(first: int) -> None:
        key = first
        while not stopping.is_set():
            await book(books, key)
            acknowledged.add(key)
            progress.set()
            key += 8

    clients = [asyncio.create_task(client(first)) for first in range(1, 9)]
    for number in range(3):
        while len(acknowledged) < 100 * (number + 1):
            progress.clear()
            await progress.wait()
        before = set(acknowledged)
        room = tmp_path / f"backup-{number}"
        room.mkdir()
        await asyncio.to_thread(take, tmp_path / "ledger.sqlite", room / "ledger.sqlite")

        image = await look_into(room)

        assert image.faults == ()
        assert before <= image.keys
    stopping.set()
    await asyncio.gather(*clients)
    await books.close()


class Consumer:
    """Another system that hears of the books, and drops what it has heard of.

    Attributes:
        heard: payload by id.
        changed: ids that came again with something else.
    """

    def __init__(self) -> None:
        self.heard: dict[str, str] = {}
        self.changed: list[str] = []
        self.repeats = 0

    async def send(self, message: Waiting) -> None:
        known = self.heard.get(message.message_id)
        if known is None:
            self.heard[message.message_id] = message.payload
            return
        self.repeats += 1
        if known != message.payload:
            self.changed.append(message.message_id)


async def keep_booking(books: Books, keys: range, consumer: Consumer) -> None:
    """Books and delivers, while the books' clock goes on."""
    for key in keys:
        books.clock.set(books.now + timedelta(seconds=1))
        await book(books, key)
        if key % 7 == 0:
            await books.subgraph.delivery_to(consumer).run_once()


async def transactions_told(books: Books, consumer: Consumer) -> tuple[int, int]:
    """How many transactions the books have, and how many of them the consumer has heard of."""
    rows = await books.rows("SELECT lane, seq, created_at FROM ledger_tx")
    booked = {
        (f"{lane}-{seq}", format_datetime(from_micros(created_at)))
        for lane, seq, created_at in rows
    }
    told = [json.loads(payload) for payload in consumer.heard.values()]
    return len(booked), len(booked & {(t["data"]["transaction"], t["timestamp"]) for t in told})


@pytest.mark.parametrize("lanes", [1, 3])
async def test_books_restored_from_a_backup_tell_nothing_new_under_an_old_id(
    tmp_path: Path, lanes: int
) -> None:
    path, backup = tmp_path / "ledger.sqlite", tmp_path / "backup.sqlite"
    consumer = Consumer()
    books = await Books.open(path, lanes=lanes)
    await keep_booking(books, range(1, 60), consumer)
    booking = asyncio.create_task(keep_booking(books, range(60, 120), consumer))
    await asyncio.to_thread(vacuum_into, path, backup)
    await booking
    [(lost,)] = await books.rows("SELECT max(seq) FROM ledger_tx")
    now = books.now
    await books.close()

    restored = await Books.open(backup, lanes=lanes)
    try:
        restored.clock.set(now + timedelta(hours=1))
        # Some of what was lost is asked for again, in another order, between what is new.
        for key in (119, 300, 117, 301, 118):
            await book(restored, key)
        await keep_booking(restored, range(302, 400), consumer)
        await restored.subgraph.delivery_to(consumer).run_once()
        report = await restored.verify()
        [(last,)] = await restored.rows("SELECT max(seq) FROM ledger_tx")
        booked, told = await transactions_told(restored, consumer)
    finally:
        await restored.close()

    assert report.findings == ()
    assert last > lost, "numbers of what was lost were given again"
    assert consumer.repeats > 0, "what the backup had not marked was told again"
    assert consumer.changed == []
    assert booked == told


async def test_books_restored_from_a_backup_announce_nothing_new_under_an_old_id(
    tmp_path: Path,
) -> None:
    path, backup = tmp_path / "ledger.sqlite", tmp_path / "backup.sqlite"
    consumer = Consumer()
    books = await Books.open(path)
    end = books.now + timedelta(days=59)
    await books.order("o1", "A", "m1", earned=100, expires_in=end - books.now)
    vacuum_into(path, backup)
    for written in (path, backup):
        now = books.now + timedelta(hours=1)
        await books.close()
        books = await Books.open(written)
        books.clock.set(now)
        if written == path:
            await books.order("o2", "A", "m1", earned=60, expires_in=end - now)
        assert await books.subgraph.announce() == 1
        await books.subgraph.delivery_to(consumer).run_once()
    await books.close()

    told = [json.loads(payload) for payload in consumer.heard.values()]
    points = [each["data"]["points"] for each in told if each["type"] == "points.expiring"]
    assert points == [160, 100]
    assert consumer.changed == []
