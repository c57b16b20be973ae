"""Processor time of a server of our own, as Linux tells it in /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _USED, _OF_THE_DEAD = 1, slice(11, 13), slice(13, 15)


def processor_seconds(server: int) -> float | None:
    """What a process and its children have used, those that ended too.

    Args:
        server: the id of the process; its children have none of their own.

    Returns:
        None where there is no /proc.
    """
    while (own := _fields(server)) is not None:
        used = sum(map(int, own[_USED])) + sum(map(int, own[_OF_THE_DEAD]))
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _fields(int(entry.name))
                if fields is not None and int(fields[_PARENT]) == server:
                    used += sum(map(int, fields[_USED]))
        after = _fields(server)
        # A child that ended meanwhile was seen neither as one that runs nor as one that ended.
        if after is not None and after[_OF_THE_DEAD] == own[_OF_THE_DEAD]:
            return used / _TICKS_A_SECOND
    return None


def _fields(process: int) -> list[str] | None:
    """What is told of a process behind its name; None when there is no such process."""
    with suppress(OSError):
        told = Path(f"/proc/{process}/stat").read_text()
        return told[told.rindex(")") + 2 :].split()
    return None
