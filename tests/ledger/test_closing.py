"""Nothing stays open behind a failure: a database that does keeps its process from ending."""

import threading
from pathlib import Path

import pytest

from kernel.clock import SetClock
from kernel.database.sqlite import SqliteDatabase
from kernel.ids import SeededIds
from ledger.bench.clients import ledger_at, served
from ledger.bench.workloads import orders
from ledger.contract import LedgerSettings
from ledger.subgraph import LedgerSubgraph
from ledger.writer import SqlLedger
from tests.ledger.book import MARCH, Books, Town

pytestmark = pytest.mark.sqlite


class Stopped(Exception):
    pass


async def stop(*_: object) -> None:
    raise Stopped


def threads_of(path: Path) -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.endswith(f"-{path.stem}")]


async def test_the_benchmark_closes_its_ledger_whatever_happens_in_it(tmp_path: Path) -> None:
    path = tmp_path / "stopped_benchmark.sqlite"

    async def measure() -> None:
        async with ledger_at(path) as (_, ledger):
            await served(ledger, orders(4, merchants=2), clients=2)
            assert threads_of(path)
            raise Stopped

    with pytest.raises(Stopped):
        await measure()
    assert threads_of(path) == []


async def test_clients_of_the_benchmark_end_with_the_first_that_fails(tmp_path: Path) -> None:
    asked = orders(40, merchants=2)
    async with ledger_at(tmp_path / "ledger.sqlite") as (database, ledger):
        with pytest.raises(AttributeError):
            await served(ledger, [asked[0], None, *asked[1:]], clients=2)  # type: ignore[list-item]
        await ledger.close()
        booked = await database.snapshot(
            lambda connection: connection.exec_driver_sql("SELECT count(*) FROM ledger_tx").scalar()
        )

    assert booked < len(asked)


async def test_a_ledger_that_can_not_be_read_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "unreadable.sqlite"
    monkeypatch.setattr(SqliteDatabase, "snapshot", stop)
    with pytest.raises(Stopped):
        await LedgerSubgraph.open(
            path,
            clock=SetClock(MARCH),
            ids=SeededIds("unreadable"),
            settings=LedgerSettings,
            registry=Town(),
        )

    assert threads_of(path) == []


async def test_a_ledger_whose_requests_can_not_end_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "unending.sqlite"
    books = await Books.open(path)
    monkeypatch.setattr(SqlLedger, "close", stop)
    with pytest.raises(Stopped):
        await books.close()

    assert threads_of(path) == []
