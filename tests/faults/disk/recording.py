"""A disk that can be read back as it was when the power went, and that can be broken.

A process started with `Disk.environment` runs on it: what it writes and syncs under the directory
is recorded, and `fill` and `fail_next_sync` break it while it runs. Needs a C compiler.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SOURCE = Path(__file__).parent / "disk.c"
HEAD = struct.Struct("=qqqq")
NAME, WRITE, TRUNCATE, SYNC, REMOVE = 1, 2, 3, 4, 5
SECTOR = 512


def has_compiler() -> bool:
    """Whether a C compiler is there."""
    return shutil.which("cc") is not None


class Disk:
    """A directory that stands behind the recording layer.

    Attributes:
        directory: where the process works.
    """

    def __init__(self, room: Path) -> None:
        self.directory = room / "disk"
        self.directory.mkdir(parents=True)
        self._layer = room / "disk.so"
        self._log = room / "disk.log"
        self._switch = room / "disk.switch"
        self._switch.write_bytes(b" ")
        subprocess.run(
            ["cc", "-O2", "-shared", "-fPIC", "-o", str(self._layer), str(SOURCE), "-ldl"],
            check=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to run on this disk."""
        return os.environ | {
            "LD_PRELOAD": str(self._layer),
            "DISK_UNDER": f"{self.directory.resolve()}/",
            "DISK_LOG": str(self._log),
            "DISK_SWITCH": str(self._switch),
        }

    def fill(self) -> None:
        """From now on nothing more fits."""
        self._turn(b"F")

    def free(self) -> None:
        """There is room again."""
        self._turn(b" ")

    def fail_next_sync(self) -> None:
        """The next sync reports an input/output error."""
        self._turn(b"E")

    def events(self) -> list[Event]:
        """All that happened, in order."""
        return list(_read_events(self._log.read_bytes()))

    def _turn(self, how: bytes) -> None:
        with self._switch.open("r+b") as switch:
            switch.write(how)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the disk was told; `data` is empty unless it was a write."""

    kind: int
    file: str
    offset: int
    data: bytes


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)


class Platter:
    """What of the events so far is on the disk for good, and what only might be."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def see(self, event: Event) -> None:
        """Takes the next event in; a removal is taken to last at once."""
        if event.kind == REMOVE:
            self._files.pop(event.file, None)
            return
        file = self._files.setdefault(event.file, _File())
        if event.kind == SYNC:
            for pending in file.pending:
                _apply(file.durable, pending)
            file.pending.clear()
        else:
            file.pending.append(event)

    def restore(self, directory: Path, chance: Random) -> None:
        """Writes the files as the power cut left them.

        All that was synced, and of the rest as much as chance has it: nothing, all of it in order,
        whole writes here and there, or torn ones.
        """
        directory.mkdir(parents=True)
        how = chance.choice(["none", "all", "some", "torn"])
        for name, file in self._files.items():
            image = bytearray(file.durable)
            for event in file.pending:
                for part in _survivors(event, how, chance):
                    _apply(image, part)
            (directory / name).write_bytes(image)


def _survivors(event: Event, how: str, chance: Random) -> Iterator[Event]:
    if how == "none":
        return
    if how == "all" or (how == "some" and chance.random() < 0.5):
        yield event
    if how == "torn":
        for start in range(0, max(len(event.data), 1), SECTOR):
            if chance.random() < 0.5:
                part = event.data[start : start + SECTOR]
                yield Event(event.kind, event.file, event.offset + start, part)


def _apply(image: bytearray, event: Event) -> None:
    if event.kind == TRUNCATE:
        image[event.offset :] = bytes(max(event.offset - len(image), 0))
        return
    end = event.offset + len(event.data)
    image.extend(bytes(max(end - len(image), 0)))
    image[event.offset : end] = event.data


def _read_events(log: bytes) -> Iterator[Event]:
    names: dict[int, str] = {}
    at = 0
    while at + HEAD.size <= len(log):
        kind, file, offset, length = HEAD.unpack_from(log, at)
        at += HEAD.size
        data = log[at : at + length]
        at += length
        if kind == NAME:
            names[file] = data.decode()
        else:
            yield Event(kind, names[file], offset, data)
