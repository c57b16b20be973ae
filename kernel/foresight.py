"""Reads that work will do, sent to a server together before it does them one by one.

Work that reads a dozen small things and then writes a few waits for a round trip at each. It may
name what it will read, and finds each answer at hand when it comes to it. Files have no round
trips, so nothing is done there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Connection

from kernel.statements import SEAT, Prepared


def foresee(connection: Connection, *reads: Callable[[Connection], object]) -> None:
    """Sends at once what these functions will ask when they are called with the same arguments.

    Each is called on a connection that finds nothing, to hear what it asks; what it asks only
    after something was found is asked later, as ever. An answer is given once. The work's own
    writes are not in it, so it foresees only what it reads before it writes it, if it does.
    Within READ COMMITTED an answer is as old as this call.
    """
    seat = connection.get_execution_options().get(SEAT)
    if seat is None:
        return
    listener = _Listener(connection)
    for read in reads:
        read(cast(Connection, listener))
    seat.foresee(listener.asked)


class _Listener:
    """In the place of a connection: notes what is asked, and finds nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def execute(self, statement: Prepared, values: Mapping[str, Any]) -> _Nothing:
        self.asked.append(statement.sent(self._connection, values))
        return _Nothing()


class _Nothing:
    """The part of `Rows` that reads use, without rows."""

    rowcount = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def all(self) -> list[Any]:
        return []

    def scalars(self) -> list[Any]:
        return []

    def one_or_none(self) -> None:
        return None

    def scalar(self) -> None:
        return None
