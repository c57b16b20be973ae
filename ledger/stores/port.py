"""What the write path asks of a database: a few set reads, and a few writes of many rows.

A batch (`ledger/booking/batch.py`) is the same whatever runs its statements.
`ledger/stores/sqlite.py` runs them on SQLite; a store with arrays can read by `= ANY(...)` and
write by `unnest`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from kernel.values import value

if TYPE_CHECKING:
    from sqlalchemy import Table

Row = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Query:
    """A read of one lane: `{lane}` is the lane, `{keys}` the keys behind `IN`, if there are any.

    Other braces do not occur. Queries, and writes, are the same when they are one object: they
    are looked up at each statement.
    """

    sql: str


@dataclass(frozen=True, eq=False)
class Write:
    """A write of many rows of one table in one lane; the lane is in no row.

    With neither `sets` nor `adds` rows are inserted. With `is_update` they exist, and otherwise
    they may.

    Attributes:
        columns: what each value of a row is, `keys` included.
        keys: what names a row beside the lane.
        sets: columns that take the new value.
        adds: columns to which the new value is added.
    """

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    is_update: bool = False

    @cached_property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.name)


@value
class LotsWanted:
    """Lots of one card and asset that have free units, first to expire first.

    Attributes:
        since: they expire after this instant.
        latest: they are active at this instant; None for all, pending ones too.
        behind: (expiry, id) behind which to begin.
        units: how much they shall cover, counting lots that are active at `since` and expire
            after `counted_until`. One lot more or less does no harm: what is missing is asked
            for again.
    """

    card_id: str
    asset: str
    since: int
    latest: int | None
    counted_until: int
    behind: tuple[int, int]
    units: int


@dataclass(frozen=True)
class Booked:
    """Rows that transactions wrote, as the chain seals them.

    Attributes:
        columns: in the order in which they are sealed.
        is_one: whether a transaction has exactly one row of them; otherwise its rows are ordered
            by `leg`.
    """

    table: str
    columns: str
    is_one: bool = False


class Port(Protocol):
    """The rows of one lane, inside one transaction that its user owns.

    Every method raises `OperationalError` when the database fails, and `IntegrityError` when it
    objects to a row.
    """

    lane: int

    def lock(self) -> Row | None:
        """The lane's row of `lane_head`, which no other batch gets before this one ends."""
        ...

    def head(self) -> Row | None:
        """The lane's row of `lane_head` as it is, for those who only look."""
        ...

    def rows(self, query: Query, keys: Sequence[str | int] = ()) -> list[Row]:
        """What a query finds; any number of keys, which do not repeat."""
        ...

    def foresee(self, reads: Sequence[tuple[Query, Sequence[str | int]]]) -> None:
        """Tells what `rows` will be asked next, so that a server is asked once for all of it."""
        ...

    def free_lots(self, wanted: Sequence[LotsWanted]) -> list[tuple[list[Row], bool]]:
        """For each, the lots as `loading.LOT` names their columns, and whether it is all.

        Reads hardly more lots than it gives.
        """
        ...

    def due_lots(self, *, until: int, limit: int) -> list[Row]:
        """Lots with free units that expire up to an instant, the first to expire first.

        Each behind the id of its card; those of one card and instant together.
        """
        ...

    def write(self, write: Write, rows: Sequence[Row]) -> None:
        """Writes the rows; does nothing when there are none."""
        ...

    def write_all(self, writes: Sequence[tuple[Write, Sequence[Row]]]) -> None:
        """Does several writes at once; none of them reads what another writes."""
        ...

    def apart(self) -> AbstractContextManager[None]:
        """What is done inside is undone alone when it fails."""
        ...


class Cursor(Protocol):
    """Statements with `?` for each value, inside a transaction that the cursor's user owns.

    Every method raises `OperationalError` or `IntegrityError` as the connection itself would.
    """

    def first(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row; None when there is none."""
        ...

    def all(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row."""
        ...

    def step(self, statement: str, values: Sequence[Any] = ()) -> Generator[Row, None, None]:
        """Row after row, read as they are asked for."""
        ...

    def json_lines(self, columns: str, source: str, values: Sequence[Any]) -> Iterator[bytes]:
        """Row after row as an array, byte for byte as `orjson` writes it.

        Args:
            source: the statement from its FROM on.
        """
        ...
