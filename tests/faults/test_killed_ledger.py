"""The process of a booking ledger is killed, again and again, on one file."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.faults.ledger_images import look_into, numbers_in

ROOT = Path(__file__).parents[2]
KEYS_A_ROUND = 100_000


@dataclass(slots=True)
class Tally:
    rounds: int = 0
    acknowledged: int = 0
    lost: int = 0
    in_doubt: int = 0
    broken: int = 0


async def start(
    directory: Path, first: int, count: int, *, killed_at: int = 0
) -> asyncio.subprocess.Process:
    """A booker that kills itself before so many acknowledgements, if any."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.booker", str(directory), str(first), str(count), "32",
        "FULL", str(killed_at), cwd=ROOT,
    )  # fmt: skip


async def kill_after(directory: Path, process: asyncio.subprocess.Process, booked: int) -> None:
    """Kills the booker at whatever it does once it has acknowledged so many keys in all."""
    async with asyncio.timeout(60):
        while len(numbers_in(directory / "acknowledged")) < booked:
            assert process.returncode is None, "the booker ended by itself"
            await asyncio.sleep(0.002)
    process.kill()
    await process.wait()


async def kill_rounds(directory: Path, rounds: int, chance: Random) -> Tally:
    """Every fifth booker dies between a commit and its answer, the others anywhere."""
    tally = Tally()
    for number in range(rounds):
        first = 1 + number * KEYS_A_ROUND
        told = len(numbers_in(directory / "acknowledged"))
        enough = chance.randrange(1, 200)
        if number % 5 == 0:
            process = await start(directory, first, KEYS_A_ROUND, killed_at=enough)
            await asyncio.wait_for(process.wait(), 60)
        else:
            process = await start(directory, first, KEYS_A_ROUND)
            await kill_after(directory, process, told + enough)

        image = await look_into(directory)
        acknowledged = set(numbers_in(directory / "acknowledged"))
        mine = {key for key in image.keys if first <= key < first + KEYS_A_ROUND}
        tally.rounds += 1
        tally.lost += len(acknowledged - image.keys)
        tally.in_doubt += len(mine - acknowledged)
        tally.broken += bool(image.faults)

        # What was in flight is asked again under the same keys: each is booked exactly once.
        last = max(mine | acknowledged) + 64
        again = await start(directory, first, last - first)
        assert await asyncio.wait_for(again.wait(), 120) == 0
        image = await look_into(directory)
        assert set(range(first, last)) <= image.keys
        assert image.faults == ()
    tally.acknowledged = len(set(numbers_in(directory / "acknowledged")))
    print(tally)
    return tally


@pytest.mark.slow
async def test_a_killed_ledger_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    tally = await kill_rounds(tmp_path, 3, Random("kill"))

    assert tally.in_doubt > 0
    assert (tally.lost, tally.broken) == (0, 0)


@pytest.mark.soak
async def test_twenty_five_kills_on_one_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        tally = await kill_rounds(tmp_path, 25, Random("kills"))

    assert tally.acknowledged > 0
    assert tally.in_doubt > 0
    assert (tally.lost, tally.broken) == (0, 0)
