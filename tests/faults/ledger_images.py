"""Looks at a ledger's directory from outside: what it keeps, and whether it is whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import apsw

from kernel.database import DatabaseUnavailable
from tests.faults.booker import LEDGER
from tests.ledger.book import Books

_NUMBERED = re.compile(r"(?:grant|order)-(\d+)$")


@dataclass(frozen=True, slots=True)
class Image:
    """What a ledger that was opened again keeps.

    Attributes:
        keys: of the requests that it answered, by number.
        faults: what is wrong with it; empty when nothing is.
    """

    keys: frozenset[int]
    faults: tuple[str, ...]


async def look_into(directory: Path) -> Image:
    """Opens the ledger as a server would, proves it, and lists what it keeps."""
    try:
        books = await Books.open(directory / LEDGER)
    except (DatabaseUnavailable, apsw.Error) as error:
        return Image(frozenset(), (f"can not be opened: {error}",))
    try:
        [(integrity,), *_] = await books.rows("PRAGMA integrity_check")
        report = await books.verify()
        rows = await books.rows("SELECT idem_key FROM ledger_request")
        numbers = [_NUMBERED.match(key) for (key,) in rows]
        keys = [int(each[1]) for each in numbers if each is not None]
        faults = [str(finding) for finding in report.findings]
        if integrity != "ok":
            faults.append(f"integrity check: {integrity}")
        if len(keys) != len(set(keys)):
            faults.append("a key was booked twice")
        return Image(frozenset(keys), tuple(faults))
    except (DatabaseUnavailable, apsw.Error) as error:
        return Image(frozenset(), (f"can not be read: {error}",))
    finally:
        await books.close()


def numbers_in(path: Path) -> list[int]:
    """The whole lines of a file of numbers; none when there is no such file."""
    if not path.exists():
        return []
    return [int(line) for line in path.read_text().splitlines(keepends=True) if line[-1] == "\n"]
