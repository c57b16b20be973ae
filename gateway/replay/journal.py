"""What a replay has done, so that a second run goes on where the first stopped.

The journal spares time, never correctness: every request has an id of its own, and asking twice
has one effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from kernel.database.sqlite_dialect import connect


class Journal:
    """Names that the alliance gave, days done, figures taken at month ends; one SQLite file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(path)
        self._connection.execute(
            """
            PRAGMA journal_mode=WAL;
            CREATE TABLE IF NOT EXISTS fact (
              kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
              PRIMARY KEY (kind, name)
            ) WITHOUT ROWID, STRICT;
            """
        ).fetchall()

    def read(self, kind: str) -> dict[str, Any]:
        """All facts of a kind: name to JSON value."""
        rows = self._connection.execute("SELECT name, value FROM fact WHERE kind = ?", (kind,))
        return {name: orjson.loads(value) for name, value in rows}

    def keep(self, facts: Mapping[str, Mapping[str, Any]]) -> None:
        """Keeps facts, kind to name to JSON value, all or none."""
        with self._connection:
            self._connection.executemany(
                "INSERT INTO fact VALUES (?, ?, ?) "
                "ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value",
                [
                    (kind, name, orjson.dumps(value).decode())
                    for kind, named in facts.items()
                    for name, value in named.items()
                ],
            )

    def last_day(self) -> date | None:
        """The last day that was replayed whole; None before the first."""
        days = self.read("day")
        return date.fromisoformat(max(days)) if days else None

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()
