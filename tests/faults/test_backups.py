"""A backup that was taken while the ledger booked is a whole ledger."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.faults.booker import book
from tests.faults.ledger_images import look_into
from tests.ledger.book import Books


def vacuum_into(source: Path, target: Path) -> None:
    connection = sqlite3.connect(source)
    connection.execute("VACUUM INTO ?", (str(target),))
    connection.close()


def back_up_online(source: Path, target: Path) -> None:
    connection, copy = sqlite3.connect(source), sqlite3.connect(target)
    connection.backup(copy, pages=64)
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
