"""The power goes while a ledger books: what was acknowledged is there, and the books balance.

The disk is rebuilt as it stood at a random instant: everything that was synced, and a random part
of what was not. The same with a weaker setting must lose something, or the test is blind.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from tests.faults.disk.recording import TRUNCATE, WRITE, Disk, Event, Platter, has_compiler
from tests.faults.ledger_images import look_into

ROOT = Path(__file__).parents[2]
ACKNOWLEDGED = "acknowledged"

pytestmark = pytest.mark.skipif(not has_compiler(), reason="needs a C compiler")


@dataclass(slots=True)
class Losses:
    cuts: int = 0
    acknowledged: int = 0
    lost: int = 0
    cuts_with_losses: int = 0
    in_doubt: int = 0
    broken: int = 0


def record(room: Path, *, mode: str, keys: int, clients: int) -> list[Event]:
    disk = Disk(room)
    subprocess.run(
        [sys.executable, "-m", "tests.faults.booker", disk.directory, "1", str(keys),
         str(clients), mode],
        env=disk.environment, cwd=ROOT, check=True, timeout=300,
    )  # fmt: skip
    return disk.events()


async def cut(events: list[Event], room: Path, *, cuts: int, chance: Random) -> Losses:
    """Cuts the power at random instants after the first acknowledgement."""
    first = next(at for at, event in enumerate(events) if event.file == ACKNOWLEDGED)
    instants = sorted(chance.sample(range(first + 1, len(events)), cuts))
    platter, told, losses, seen = Platter(), set[int](), Losses(cuts), 0
    for number, instant in enumerate(instants):
        for event in events[seen:instant]:
            if event.file != ACKNOWLEDGED:
                platter.see(event)
            elif event.kind == WRITE:
                told.add(int(event.data))
        seen = instant
        restored = room / f"cut-{number}"
        platter.restore(restored, chance)
        image = await look_into(restored)
        losses.acknowledged += len(told)
        losses.lost += len(told - image.keys)
        losses.cuts_with_losses += bool(told - image.keys)
        losses.in_doubt += len(image.keys - told)
        losses.broken += bool(image.faults)
    return losses


async def power_cuts(room: Path, *, mode: str, runs: int, cuts: int, keys: int) -> Losses:
    chance = Random(f"power {mode}")
    total = Losses()
    for run in range(runs):
        events = record(room / f"run-{run}", mode=mode, keys=keys, clients=(1, 8, 64)[run % 3])
        losses = await cut(events, room / f"run-{run}", cuts=cuts, chance=chance)
        for name in Losses.__slots__:
            setattr(total, name, getattr(total, name) + getattr(losses, name))
    print(f"synchronous={mode}: {total}")
    return total


@pytest.mark.slow
async def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    losses = await power_cuts(tmp_path, mode="FULL", runs=2, cuts=12, keys=300)

    assert losses.acknowledged > 0
    assert (losses.lost, losses.broken) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["SHORT_LOG", "COPIED_BESIDE"])
async def test_a_power_cut_while_the_log_is_copied_or_cut_off_loses_nothing(
    tmp_path: Path, mode: str
) -> None:
    events = record(tmp_path, mode=mode, keys=300, clients=8)
    short = sum(event.kind == TRUNCATE and event.file.endswith("-wal") for event in events)

    losses = await cut(events, tmp_path, cuts=12, chance=Random(mode))

    assert short > 5
    assert losses.acknowledged > 0
    assert (losses.lost, losses.broken) == (0, 0)


@pytest.mark.slow
async def test_a_weaker_sync_would_be_caught(tmp_path: Path) -> None:
    losses = await power_cuts(tmp_path, mode="NORMAL", runs=1, cuts=12, keys=300)

    assert losses.lost > 0


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["FULL", "SHORT_LOG", "COPIED_BESIDE", "NORMAL", "OFF"])
async def test_hundreds_of_power_cuts(
    tmp_path: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        losses = await power_cuts(tmp_path, mode=mode, runs=6, cuts=40, keys=2_000)

    if mode in ("NORMAL", "OFF"):
        assert losses.lost > 0
    else:
        assert (losses.lost, losses.broken) == (0, 0)
