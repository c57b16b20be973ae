"""The disk under a booking ledger is full for a while, or fails a sync.

What was acknowledged is there, what was answered as unavailable is not, and the ledger serves on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.disk.recording import Disk, has_compiler
from tests.faults.ledger_images import Image, look_into, numbers_in

ROOT = Path(__file__).parents[2]
KEYS = 1_000_000

pytestmark = [
    pytest.mark.skipif(not has_compiler(), reason="needs a C compiler"),
    pytest.mark.slow,
]


class Booking:
    """A booker on a disk that can be broken."""

    def __init__(self, disk: Disk, process: asyncio.subprocess.Process) -> None:
        self.disk = disk
        self._process = process

    @property
    def acknowledged(self) -> list[int]:
        return numbers_in(self.disk.directory / "acknowledged")

    @property
    def unavailable(self) -> list[int]:
        return numbers_in(self.disk.directory / "unavailable")

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():
                assert self._process.returncode is None, "the booker ended"
                await asyncio.sleep(0.01)

    async def until_booked(self, more: int) -> None:
        enough = len(self.acknowledged) + more
        await self.until(lambda: len(self.acknowledged) >= enough)

    async def image(self) -> Image:
        self._process.kill()
        await self._process.wait()
        return await look_into(self.disk.directory)


@asynccontextmanager
async def booking_on(room: Path, clients: int) -> AsyncIterator[Booking]:
    disk = Disk(room)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.booker", str(disk.directory), "1", str(KEYS),
        str(clients), "FULL", env=disk.environment, cwd=ROOT,
    )  # fmt: skip
    try:
        yield Booking(disk, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("clients", [1, 16])
async def test_a_full_disk_refuses_for_a_while_and_loses_nothing(
    tmp_path: Path, clients: int
) -> None:
    async with booking_on(tmp_path, clients) as booking:
        for _ in range(3):
            await booking.until_booked(30)
            refused = len(booking.unavailable)
            booking.disk.fill()
            await booking.until(lambda: len(booking.unavailable) >= refused + 5)  # noqa: B023
            booking.disk.free()
        await booking.until_booked(30)
        acknowledged, unavailable = set(booking.acknowledged), set(booking.unavailable)

        image = await booking.image()

        assert image.faults == ()
        assert acknowledged - image.keys == set()
        assert unavailable & image.keys == set()


@pytest.mark.parametrize("clients", [1, 16])
async def test_a_failed_sync_acknowledges_nothing_that_is_not_there(
    tmp_path: Path, clients: int
) -> None:
    async with booking_on(tmp_path, clients) as booking:
        for _ in range(5):
            await booking.until_booked(20)
            refused = len(booking.unavailable)
            booking.disk.fail_next_sync()
            await booking.until(lambda: len(booking.unavailable) > refused)  # noqa: B023
        await booking.until_booked(30)
        acknowledged, unavailable = set(booking.acknowledged), set(booking.unavailable)

        image = await booking.image()

        assert image.faults == ()
        assert acknowledged - image.keys == set()
        assert unavailable & image.keys == set()
