"""Rows that come sorted, handed out group by group."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from ledger.stores.port import Row


class Grouped:
    """Rows that are sorted by their first column, handed out group by group."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, itemgetter(0))
        self._key: int | None = None
        self._rows: list[Row] = []
        self._next()

    def of(self, key: int) -> list[Row]:
        """The rows of a key; keys are asked for in rising order."""
        while self._key is not None and self._key < key:
            self._next()
        return self._rows if self._key == key else []

    def _next(self) -> None:
        group = next(self._groups, None)
        self._key = None if group is None else group[0]
        self._rows = [] if group is None else list(group[1])
