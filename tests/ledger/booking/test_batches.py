"""Requests that commit together: each is answered as if it had come alone, in its turn."""

import asyncio
from datetime import timedelta
from pathlib import Path

import apsw
import pytest
from sqlalchemy.exc import OperationalError

from kernel.database import DatabaseUnavailable, Overloaded, sqlite
from ledger.booking.lane_queues import LaneQueues
from ledger.contract import HoldFunds, InsufficientPoints, KeyReused, Unbookable
from ledger.stores import sqlite as ledger_sqlite
from tests.ledger.book import Books
from tests.ledger.random_days import answer_alike, play, random_requests

TABLES = (
    "ledger_request", "ledger_tx", "entry", "account", "position", "lot", "lot_move", "hold",
    "hold_lot", "order_state", "burn", "debt", "card_entry",
)  # fmt: skip


async def contents(books: Books) -> dict[str, list[tuple]]:
    return {table: await books.rows(f"SELECT * FROM {table}") for table in TABLES}


@pytest.mark.parametrize("seed", range(8))
async def test_a_batch_does_what_its_requests_do_one_after_the_other(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if seed % 2:  # Even these few rows are written some to a statement, and the rest alone.
        monkeypatch.setattr(ledger_sqlite, "_ROWS", (4, 2))
        monkeypatch.setattr(ledger_sqlite, "_CHANGES", (4, 2))
    alone = await Books.open(tmp_path / "alone.sqlite")
    together = await Books.open(tmp_path / "together.sqlite")
    try:
        for day in range(3):
            requests = random_requests(seed * 10 + day, 120, first=day * 120)
            answers = await play(alone, requests, at_once=1)
            assert await play(together, requests, at_once=40) == answers
            assert await contents(together) == await contents(alone)
            for books in (alone, together):
                books.clock.set(books.now + timedelta(days=1, hours=1))
                await books.sweep()
        assert await contents(together) == await contents(alone)
        assert (await together.verify()).findings == ()
        assert len(await together.rows("SELECT 1 FROM block")) < 60
    finally:
        await alone.close()
        await together.close()


async def test_a_request_sees_what_the_ones_before_it_in_its_batch_did(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)

    spent = await asyncio.gather(
        *(books.hold(f"t{n}", "m1", 1) for n in range(150)), return_exceptions=True
    )

    assert [isinstance(each, InsufficientPoints) for each in spent] == [False] * 100 + [True] * 50
    assert (await books.standing("m1")).held == 100
    assert len(await books.rows("SELECT 1 FROM lot")) == 1
    assert (await books.verify()).is_sound


async def test_a_key_that_comes_twice_in_a_batch_takes_effect_once(books: Books) -> None:
    same = [books.order("o1", "A", "m1", earned=100) for _ in range(20)]
    other = [books.order("o1", "A", "m1", earned=101) for _ in range(3)]

    answers = await asyncio.gather(*same, *other, return_exceptions=True)

    assert [answer.replayed for answer in answers[:20]] == [False] + [True] * 19
    assert all(isinstance(answer, KeyReused) for answer in answers[20:])
    assert (await books.standing("m1")).available == 100
    assert len(await books.rows("SELECT 1 FROM ledger_tx")) == 1


async def test_a_refusal_writes_its_request_and_nothing_else(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=10)
    before = await contents(books)

    await asyncio.gather(*(books.hold(f"t{n}", "m1", 11) for n in range(9)), return_exceptions=True)

    after = await contents(books)
    assert len(after.pop("ledger_request")) == len(before.pop("ledger_request")) + 9
    assert after == before


async def poison(books: Books, key: str) -> None:
    await books.subgraph.context_for(None, "", "").database.transaction(
        lambda connection: connection.exec_driver_sql(
            "CREATE TRIGGER poison BEFORE INSERT ON ledger_tx "
            f"WHEN NEW.order_no = 'no-{key}' BEGIN SELECT RAISE(ABORT, 'poison'); END"
        ).close()
    )


@pytest.mark.sqlite
async def test_a_poisoned_request_fails_alone(books: Books) -> None:
    await poison(books, "o7")

    answers = await asyncio.gather(
        *(books.order(f"o{n}", "A", f"m{n % 5}", earned=10) for n in range(200)),
        return_exceptions=True,
    )

    failed = [n for n, answer in enumerate(answers) if isinstance(answer, BaseException)]
    assert failed == [7]
    assert isinstance(answers[7], Unbookable)
    assert books.ledger.batches_isolated == 1
    assert len(await books.rows("SELECT 1 FROM ledger_tx")) == 199
    assert (await books.verify()).is_sound


async def test_an_amount_that_no_database_holds_fails_alone(books: Books) -> None:
    answers = await asyncio.gather(
        books.order("o1", "A", "m1", earned=10),
        books.order("o2", "A", "m1", earned=2**63),
        books.order("o3", "A", "m1", earned=10),
        return_exceptions=True,
    )

    assert [isinstance(answer, Unbookable) for answer in answers] == [False, True, False]
    assert (await books.standing("m1")).available == 20


def commit_that_fails(monkeypatch: pytest.MonkeyPatch, *, is_kept: bool) -> None:
    """The next commit reports an I/O error, after it happened or before."""
    run = sqlite.run
    has_failed = False

    def failing(connection: object, statement: str) -> None:
        nonlocal has_failed
        if statement != "COMMIT" or has_failed:
            return run(connection, statement)
        has_failed = True
        run(connection, "COMMIT" if is_kept else "ROLLBACK")
        raise OperationalError(statement, None, apsw.IOError("disk I/O error"))

    monkeypatch.setattr(sqlite, "run", failing)


@pytest.mark.sqlite
async def test_a_commit_in_doubt_that_happened_is_answered_from_the_books(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_that_fails(monkeypatch, is_kept=True)

    receipts = await asyncio.gather(*(books.order(f"o{n}", "A", "m1", earned=10) for n in range(5)))

    assert [receipt.points_earned for receipt in receipts] == [10] * 5
    assert books.ledger.commits_in_doubt == 1
    assert (await books.standing("m1")).available == 50
    assert (await books.verify()).is_sound


@pytest.mark.sqlite
async def test_a_commit_in_doubt_that_did_not_happen_is_refused_and_can_be_repeated(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_that_fails(monkeypatch, is_kept=False)

    answers = await asyncio.gather(
        *(books.order(f"o{n}", "A", "m1", earned=10) for n in range(5)), return_exceptions=True
    )

    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers)
    for n in range(5):
        assert not (await books.order(f"o{n}", "A", "m1", earned=10)).replayed
    assert (await books.standing("m1")).available == 50
    assert (await books.verify()).is_sound


@pytest.mark.sqlite
async def test_a_full_disk_keeps_nothing_and_the_same_requests_pass_later(books: Books) -> None:
    database = books.subgraph.context_for(None, "", "").database

    async def limit(pages: str) -> None:
        await database.transaction(
            lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar_one()
        )

    [(pages,)] = await books.rows("PRAGMA page_count")
    await limit(str(pages + 2))

    async def send() -> list[object]:
        orders = (books.order(f"o{n}", "A", f"m{n}", earned=10) for n in range(200))
        return await asyncio.gather(*orders, return_exceptions=True)

    assert {type(answer) for answer in await send()} == {DatabaseUnavailable}
    assert await books.rows("SELECT 1 FROM ledger_request") == []
    await limit("1000000")
    assert not any(answer.replayed for answer in await send())
    assert (await books.verify()).is_sound


async def test_cancelling_a_caller_undoes_nothing_of_what_was_taken(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    tasks = [asyncio.create_task(books.hold(f"t{n}", "m1", 10)) for n in range(5)]
    await asyncio.sleep(0)  # The tasks submit.
    await asyncio.sleep(0)  # The queue takes all of them.

    tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(each, asyncio.CancelledError) for each in answers] == [
        False, False, True, False, False,
    ]  # fmt: skip
    assert (await books.standing("m1")).held == 50
    assert (await books.hold("t2", "m1", 10)).replayed


async def test_a_full_queue_refuses_at_once() -> None:
    gate = asyncio.Event()

    async def commit(batches: dict[int, list[int]]) -> dict[int, list[int]]:
        await gate.wait()
        return {0: [-each for each in batches[0]]}

    queue: LaneQueues[int, int] = LaneQueues(commit, lanes=1, batch_max=2, waiting_max=3)
    tasks = [asyncio.create_task(queue.submit(0, n)) for n in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(queue.submit(0, n)) for n in range(2, 6)]
    await asyncio.sleep(0)
    gate.set()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert answers[:5] == [0, -1, -2, -3, -4]
    assert isinstance(answers[5], Overloaded)
    assert answers[5].extensions == {"code": "OVERLOADED"}
    await queue.drained()


async def test_while_one_batch_commits_the_next_one_forms() -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    batches: list[list[int]] = []

    async def commit(taken: dict[int, list[int]]) -> dict[int, list[int]]:
        batches.append(taken[0])
        await gates[len(batches) - 1].wait()
        return taken

    queue: LaneQueues[int, int] = LaneQueues(commit, lanes=1)
    first = asyncio.create_task(queue.submit(0, 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(queue.submit(0, n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    assert batches == [[0]]
    gates[0].set()
    await first
    gates[1].set()

    assert await asyncio.gather(*others) == [1, 2, 3]
    assert batches == [[0], [1, 2, 3]]


@pytest.mark.parametrize("seed", range(6))
async def test_lanes_answer_as_one_lane_does(tmp_path: Path, seed: int) -> None:
    one = await Books.open(tmp_path / "one.sqlite")
    four = await Books.open(tmp_path / "four.sqlite", lanes=4)
    try:
        days = [random_requests(seed * 7 + day, 150, first=day * 150) for day in range(3)]
        await answer_alike(one, four, days)
    finally:
        await one.close()
        await four.close()


async def test_a_hold_of_another_card_is_not_captured(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=10)
    await books.order("o2", "A", "m2", earned=10)
    await books.ledger.hold(HoldFunds("t1", "m1", "A", 5, 0, books.now))

    await books.order("o3", "A", "m2", spent=5, attempt="t1")

    assert (await books.standing("m1")).held == 5
    assert (await books.standing("m2")).available == 5
    assert (await books.verify()).is_sound
