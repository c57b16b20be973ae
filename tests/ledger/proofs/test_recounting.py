"""Other processes help to count large books, and find what one process finds."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from kernel.database import DatabaseUnavailable
from ledger.proofs import invariants, recount, recounting, verify
from tests.ledger.book import Books
from tests.ledger.proofs.test_verify import some_history

ORDERS = 12


@pytest.fixture
def lanes() -> int:
    """Processes take a second to start: one number of lanes is enough."""
    return 3


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recounting, "LARGE", 1)
    monkeypatch.setattr(recounting, "_processors", lambda: 2)
    monkeypatch.setattr(recount, "AT_ONCE", 2)


@pytest.fixture
def counted_elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[recount.Recount]:
    """What other processes counted."""
    made: list[recount.Recount] = []
    counted = recounting._counted

    async def watched(*asked: object) -> recount.Recount:
        made.append(await counted(*asked))
        return made[-1]

    monkeypatch.setattr(recounting, "_counted", watched)
    return made


async def a_longer_history(books: Books) -> None:
    await some_history(books)
    for number in range(ORDERS):
        await books.order(f"more-{number}", "A", f"m{number % 5}", earned=10)


@pytest.mark.both_databases
async def test_a_sound_book_is_sound_for_all_who_count(
    books: Books, counted_elsewhere: list[recount.Recount]
) -> None:
    await a_longer_history(books)

    report = await books.verify()

    assert report.findings == ()
    assert report.transactions == 6 + ORDERS
    assert counted_elsewhere
    assert all(each.is_sound for each in counted_elsewhere)


@pytest.mark.sqlite
async def test_a_file_is_counted_by_others_alone(
    books: Books, counted_elsewhere: list[recount.Recount]
) -> None:
    await a_longer_history(books)

    report = await books.verify()

    assert [each.is_sound for each in counted_elsewhere] == [True, True]
    assert sum(each.transactions for each in counted_elsewhere) == report.transactions
    assert sum(each.entries for each in counted_elsewhere) == report.entries


@pytest.mark.sqlite
async def test_whoever_counts_the_part_finds_what_is_wrong(books: Books) -> None:
    await a_longer_history(books)
    [(lane, seq)] = await books.rows("SELECT lane, seq FROM ledger_tx WHERE order_no = 'no-more-4'")
    for (name,) in await books.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        await books.rows_written(f"DROP TRIGGER {name}")
    await books.rows_written(
        f"UPDATE ledger_tx SET reason = 'another' WHERE lane = {lane} AND seq = {seq}"
    )

    report = await books.verify()

    [finding] = report.findings
    assert (finding.invariant, finding.row) == (
        "V9",
        f"block {seq}" + (f", lane {lane}" if lane else ""),
    )


@pytest.fixture
def asked_elsewhere(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Queries that another process was asked, and answered."""
    queries: list[str] = []
    told = recounting._told

    async def watched(
        process: asyncio.subprocess.Process, asked: object, *, seconds: float
    ) -> bytes:
        line = await told(process, asked, seconds=seconds)
        if isinstance(asked, str):
            queries.append(asked)
        return line

    monkeypatch.setattr(recounting, "_told", watched)
    return queries


async def with_a_wrong_lot(books: Books) -> None:
    await a_longer_history(books)
    for (name,) in await books.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
        await books.rows_written(f"DROP TRIGGER {name}")
    await books.rows_written(
        "UPDATE lot SET residual = residual + 1 "
        "WHERE (lane, id) IN (SELECT lane, id FROM lot ORDER BY lane, id LIMIT 1)"
    )


def found(report: verify.Report) -> set[str]:
    return {finding.invariant for finding in report.findings}


@pytest.mark.sqlite
async def test_a_process_that_is_asked_finds_what_is_wrong(
    books: Books, asked_elsewhere: list[str]
) -> None:
    await with_a_wrong_lot(books)

    report = await books.verify()

    assert found(report) == {"V4", "pool", "funding"}
    assert asked_elsewhere == [
        check.query.bound({})[0] for check in invariants.CHECKS if not check.is_counted
    ]


@pytest.mark.sqlite
async def test_what_a_process_that_ends_was_not_asked_is_asked_here(
    books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await with_a_wrong_lot(books)
    told = recounting._told

    async def killed(
        process: asyncio.subprocess.Process, asked: object, *, seconds: float
    ) -> bytes:
        if isinstance(asked, str):
            process.kill()
            await process.wait()
        return await told(process, asked, seconds=seconds)

    monkeypatch.setattr(recounting, "_told", killed)

    report = await books.verify()

    assert found(report) == {"V4", "pool", "funding"}
    assert "a process that helped to verify failed" in caplog.text


async def test_what_a_process_that_fails_did_not_count_is_counted_here(
    books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await a_longer_history(books)
    monkeypatch.setattr(recounting.sys, "executable", "/bin/false")

    report = await books.verify()

    assert report.findings == ()
    assert report.transactions == 6 + ORDERS
    assert "a process that helped to verify failed" in caplog.text


async def test_what_a_process_that_is_killed_did_not_count_is_counted_here(
    books: Books, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await a_longer_history(books)
    counted = recounting._counted

    async def killed(process: asyncio.subprocess.Process, work: object) -> recount.Recount:
        process.kill()
        await process.wait()
        return await counted(process, work)

    monkeypatch.setattr(recounting, "_counted", killed)

    report = await books.verify()

    assert report.findings == ()
    assert report.transactions == 6 + ORDERS
    assert "a process that helped to verify failed" in caplog.text


def test_a_process_that_counts_starts_without_what_books_in_a_file_do_not_need() -> None:
    large = "{'sqlalchemy', 'asyncio', 'ledger.tables', 'sqlite3'} & set(sys.modules)"
    code = f"import sys, ledger.proofs.counter; print({large})"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def test_a_process_has_one_library_of_sqlite() -> None:
    """Two undo each other's locks on a file."""
    code = "import sys, gateway.cli, gateway.assembly.serving; print('sqlite3' in sys.modules)"

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"


async def test_a_process_that_stands_still_is_not_waited_for(
    books: Books, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await a_longer_history(books)
    still = tmp_path / "still"
    still.write_text("#!/bin/sh\nexec sleep 600\n")
    still.chmod(0o700)
    monkeypatch.setattr(recounting.sys, "executable", str(still))
    monkeypatch.setattr(recounting, "PART_SECONDS", 0.1)
    monkeypatch.setattr(recounting, "QUERY_SECONDS", 0.1)

    report = await books.verify()

    assert report.findings == ()
    assert report.transactions == 6 + ORDERS
    assert "a process that helped to verify failed: TimeoutError" in caplog.text


@pytest.mark.sqlite
async def test_a_check_that_fails_leaves_nobody_counting(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_longer_history(books)
    before = asyncio.all_tasks()

    async def fails(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("no disk")

    monkeypatch.setattr(verify, "_broken", fails)

    with pytest.raises(DatabaseUnavailable, match="no disk"):
        await books.verify()

    assert asyncio.all_tasks() == before
