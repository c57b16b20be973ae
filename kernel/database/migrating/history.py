"""The history of a database's tables: numbered revisions, of which the last is the present."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import MetaData

from kernel.database.interface import DatabaseUnavailable

_FILE = re.compile(r"v(\d{4})_[a-z0-9_]+\.py")


class DatabaseRefused(DatabaseUnavailable):
    """The database is in order, but not one that this version of the code may open."""


class NewerDatabase(DatabaseRefused):
    """It was written by a later version of the code, or is another kind of database."""


class UnversionedDatabase(DatabaseRefused):
    """It has tables, and nothing says of which revision."""


@dataclass(frozen=True)
class History:
    """How one kind of database came to its tables.

    Attributes:
        name: of the kind, as `ledger`; it leads the name of each revision.
        metadata: the tables as of the last revision.
        versions: the directory with a file `v0001_<what it brought>.py` for each revision.
    """

    name: str
    metadata: MetaData
    versions: Path

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """The name of each revision, in order."""
        numbers = sorted(
            found.group(1)
            for path in self.versions.iterdir()
            if (found := _FILE.fullmatch(path.name))
        )
        return tuple(f"{self.name}_{number}" for number in numbers)

    @property
    def head(self) -> str:
        """The last revision."""
        return self.revisions[-1]
