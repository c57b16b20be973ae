"""Work on several lanes in one transaction of PostgreSQL: what all of them ask is one statement.

The work of each lane runs until it asks the database, and waits there, in a greenlet of its own.
When all wait, those that ask alike are answered by one statement. The work is the same for every
lane, so that four lanes hardly take more round trips than one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]
from sqlalchemy import Connection

from kernel.statements import SEAT
from ledger.stores.arrays import array_of
from ledger.stores.loading import HEAD
from ledger.stores.port import LotsWanted, Port, Query, Row, Write
from ledger.stores.postgresql import (
    FORESEEN_KEYS,
    FreeLots,
    PostgresPort,
    free_lots,
    kind_of,
    write_rows,
)

T = TypeVar("T")
Keys = Sequence[str | int]
_LOCK = HEAD.sql.replace("SELECT", "SELECT lane,").format(lane="ANY($1::text::bigint[])")
_LOCK_IN_ORDER = f"{_LOCK} ORDER BY lane FOR NO KEY UPDATE SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class _Lock:
    """Asks for the lane's head."""


@dataclass(frozen=True, slots=True)
class _Reads:
    """Asks queries, whose answers are kept until they are asked again one by one."""

    reads: Sequence[tuple[Query, Keys]]


@dataclass(frozen=True, slots=True)
class _Lots:
    wanted: Sequence[LotsWanted]


@dataclass(frozen=True, slots=True)
class _Writes:
    writes: Sequence[tuple[Write, Sequence[Row]]]


_Asked = _Lock | _Reads | _Lots | _Writes


class _LanePort(PostgresPort):
    """One of several lanes: asks whoever runs them, and waits."""

    def __init__(self, connection: Connection, lane: int, home: greenlet) -> None:
        super().__init__(connection, lane)
        self._home = home
        self.known: dict[tuple[Query, tuple[str | int, ...]], list[Row]] = {}

    def lock(self) -> Row | None:
        """With the heads of the other lanes."""
        head: Row | None = self._ask(_Lock())
        return head

    def rows(self, query: Query, keys: Keys = ()) -> list[Row]:
        """With what the other lanes ask by this query, unless it was foreseen."""
        if not keys and "{keys}" in query.sql:
            return []
        found = self.known.pop((query, tuple(keys)), None)
        if found is None:
            self._ask(_Reads([(query, keys)]))
            found = self.known.pop((query, tuple(keys)))
        return found

    def foresee(self, reads: Sequence[tuple[Query, Keys]]) -> None:
        """With what the other lanes foresee."""
        self._ask(_Reads([(query, keys) for query, keys in reads if keys or not _has_keys(query)]))

    def free_lots(self, wanted: Sequence[LotsWanted]) -> list[FreeLots]:
        """With the lots of the other lanes."""
        found: list[FreeLots] = self._ask(_Lots(wanted))
        return found

    def write_all(self, writes: Sequence[tuple[Write, Sequence[Row]]]) -> None:
        """With the rows of the other lanes, once all of them write."""
        self._ask(_Writes(writes))

    def _all(self, statement: str, *values: Any) -> list[Row]:
        """Nothing is asked for one lane alone: a savepoint would be that of all of them."""
        raise AssertionError(f"several lanes ask together: {statement}")

    def _run(self, statement: str, *values: Any) -> None:
        self._all(statement, *values)

    def _ask(self, asked: _Asked) -> Any:
        return self._home.switch(asked)


def run_side_by_side(
    connection: Connection, works: Mapping[int, Callable[[Port], T]]
) -> dict[int, T]:
    """What each lane's work returns; what one of them raises ends all.

    A lane whose head others have locked is left out: who waits for it holds up no other lane.
    """
    home = getcurrent()
    ports = {lane: _LanePort(connection, lane, home) for lane in sorted(works)}
    running = {lane: greenlet(works[lane]) for lane in ports}
    asked: dict[int, _Asked] = {}
    done: dict[int, T] = {}

    def go_on(lane: int, answer: Any) -> None:
        said = running[lane].switch(answer)
        if running[lane].dead:
            done[lane] = said
        else:
            asked[lane] = said

    try:
        for lane, port in ports.items():
            go_on(lane, port)
        while asked:
            answers = _answers(PostgresPort(connection, 0), ports, asked)
            left_out = {lane for lane, each in asked.items() if isinstance(each, _Lock)}
            for lane in left_out | answers.keys():
                del asked[lane]
            for lane, answer in answers.items():
                go_on(lane, answer)
    finally:
        for each in running.values():
            if each:  # It waits for an answer that will not come.
                each.throw()
    return done


def _answers(
    own: PostgresPort, ports: Mapping[int, _LanePort], asked: Mapping[int, _Asked]
) -> dict[int, Any]:
    """Answers to those who ask alike; who is to write waits until all are."""
    ask = own._all
    kind = next((type(each) for each in asked.values() if not isinstance(each, _Writes)), _Writes)
    alike: dict[int, Any] = {lane: each for lane, each in asked.items() if type(each) is kind}
    if kind is _Lock:
        heads = {lane: tuple(row) for lane, *row in ask(_LOCK_IN_ORDER, array_of(sorted(alike)))}
        return {lane: heads[lane] for lane in alike if lane in heads}
    if kind is _Reads:
        _read(own, ports, {lane: each.reads for lane, each in alike.items()})
        return dict.fromkeys(alike)
    if kind is _Lots:
        wanted = [(lane, one) for lane, each in alike.items() for one in each.wanted]
        found = iter(free_lots(ask, wanted))
        return {lane: [next(found) for _ in each.wanted] for lane, each in alike.items()}
    by_write: dict[Write, list[tuple[int, Sequence[Row]]]] = {}
    for lane, each in alike.items():
        for write, rows in each.writes:
            by_write.setdefault(write, []).append((lane, rows))
    write_rows(ask, list(by_write.items()))
    return dict.fromkeys(alike)


def _read(
    own: PostgresPort,
    ports: Mapping[int, _LanePort],
    asked: Mapping[int, Sequence[tuple[Query, Keys]]],
) -> None:
    """Reads each query for all lanes that ask it, and keeps the answers with their ports."""
    lanes_of: dict[Query, list[tuple[int, Keys]]] = {}
    for lane, reads in asked.items():
        for query, keys in reads:
            lanes_of.setdefault(query, []).append((lane, keys))
    # In one order, whichever lane asked first: each order is a statement that is prepared.
    lanes_of = dict(sorted(lanes_of.items(), key=lambda each: each[0].sql))
    statements = [_of_lanes(query, lanes) for query, lanes in lanes_of.items()]
    seat = own.connection.get_execution_options().get(SEAT)
    if seat is not None and sum(_count(lanes) for lanes in lanes_of.values()) <= FORESEEN_KEYS:
        seat.foresee(statements)
    for (query, lanes), (sql, values) in zip(lanes_of.items(), statements, strict=True):
        found: list[list[Row]] = [[] for _ in lanes]
        for number, *row in own._all(sql, *values):
            found[number].append(tuple(row))
        for rows, (lane, keys) in zip(found, lanes, strict=True):
            ports[lane].known[query, tuple(keys)] = rows


def _of_lanes(query: Query, lanes: Sequence[tuple[int, Keys]]) -> tuple[str, tuple[Any, ...]]:
    keys = [array_of(keys) for _, keys in lanes]
    kind = kind_of(lanes[0][1]) if _has_keys(query) else "text"
    numbers = array_of(range(len(lanes)))
    return _for_each_lane(query, kind), (
        numbers,
        array_of(lane for lane, _ in lanes),
        array_of(keys),
    )


@lru_cache(maxsize=64)
def _for_each_lane(query: Query, kind: str) -> str:
    sql = query.sql.replace("IN ({keys})", f"= ANY(w.keys::{kind}[])").format(lane="w.lane")
    # OFFSET keeps each lane's look-up to itself. While a table is new and its statistics say that
    # it has few rows, its rows would be read all and compared with every lane's keys.
    return (
        "SELECT w.number, q.* FROM (SELECT unnest($1::text::bigint[]) AS number, "
        "unnest($2::text::bigint[]) AS lane, unnest($3::text::text[]) AS keys) w "
        f"CROSS JOIN LATERAL ({sql} OFFSET 0) q"
    )


def _has_keys(query: Query) -> bool:
    return "{keys}" in query.sql


def _count(lanes: Sequence[tuple[int, Keys]]) -> int:
    return sum(len(keys) for _, keys in lanes)
