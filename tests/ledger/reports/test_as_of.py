"""What a card had and what a merchant's account stood at, on both axes of time."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from kernel.callers import Caller
from kernel.clock import to_micros
from tests.ledger.book import ADMIN, MARCH, Books, member, merchant
from tests.ledger.clearing.test_periods import MARCH as MARCH_MONTH
from tests.ledger.clearing.test_periods import close

AS_OF = """
query ($card: ID! = "m1", $merchant: ID! = "A", $at: DateTime!, $by: DateTime) {
  card: _entities(representations: [{__typename: "Card", id: $card}]) {
    ... on Card { balanceAsOf(at: $at, recordedBy: $by) { points coins { amountMinor } } }
  }
  merchant: _entities(representations: [{__typename: "Merchant", id: $merchant}]) {
    ... on Merchant { netAsOf(at: $at, recordedBy: $by) { amountMinor } }
  }
}
"""
DAY = timedelta(days=1)


async def as_of(
    books: Books, at: datetime, by: datetime | None = None, **ids: str
) -> tuple[int, int, int]:
    """Points, coins, and the merchant's net."""
    variables = {"at": at.isoformat(), **({} if by is None else {"by": by.isoformat()}), **ids}
    answer = await books.ask(AS_OF, **variables)
    assert answer.errors is None, answer.errors
    [card], [merchant] = answer.data["card"], answer.data["merchant"]
    balance = card["balanceAsOf"]
    return (
        balance["points"],
        balance["coins"]["amountMinor"],
        merchant["netAsOf"]["amountMinor"],
    )


async def test_the_ends_of_time_are_instants_too(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    end = datetime.max.replace(tzinfo=UTC)

    assert await as_of(books, datetime.min.replace(tzinfo=UTC)) == (0, 0, 0)
    assert (await as_of(books, end))[2] == (await as_of(books, books.now))[2] < 0


async def test_a_balance_is_that_of_the_instant_to_the_microsecond(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(MARCH + DAY)
    await books.grant("g", "m1", 7, funder="A")
    await books.order("o2", "B", "m1", spent=40)
    books.clock.set(MARCH + 2 * DAY)
    await books.refund("o1", "r1", kept=0)

    assert await as_of(books, MARCH - timedelta(microseconds=1)) == (0, 0, 0)
    assert await as_of(books, MARCH) == (100, 0, -105)
    assert await as_of(books, MARCH + DAY) == (60, 7, -105 - 7)
    assert await as_of(books, books.now) == (-40, 7, -105 - 7 + 63)


async def test_what_was_heard_of_late_counts_from_when_it_took_effect_or_was_recorded(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(MARCH + 5 * DAY)
    await books.order("o2", "A", "m1", earned=10, at=MARCH + DAY)

    assert (await as_of(books, MARCH + DAY))[0] == 110
    assert await as_of(books, MARCH + DAY, MARCH + 4 * DAY) == (100, 0, -105)
    assert await as_of(books, MARCH + DAY, MARCH + 5 * DAY) == (110, 0, -105 - 11)


@pytest.mark.both_databases
async def test_a_late_refund_of_a_closed_period_counts_in_its_own_time(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(datetime(2026, 8, 2, tzinfo=UTC))
    await close(books, MARCH_MONTH)
    for month in range(1, 5):
        await close(books, MARCH_MONTH + month, f"close-{month}")
    await books.refund("o1", "r1", kept=0, at=MARCH + DAY)

    assert await as_of(books, MARCH) == (100, 0, -105)
    assert await as_of(books, MARCH + DAY) == (0, 0, 0)
    assert await as_of(books, MARCH + DAY, MARCH + DAY) == (100, 0, -105)


async def test_expired_points_are_gone_before_a_sweep_books_them(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=DAY)
    await books.hold("x", "m1", 30)
    books.clock.set(MARCH + 3 * DAY)

    unswept = [await as_of(books, MARCH + DAY - timedelta(microseconds=1))]
    unswept.append(await as_of(books, MARCH + DAY))
    await books.sweep()

    assert unswept[0][0] == 100
    assert unswept[1][0] == 30
    assert (await as_of(books, MARCH + DAY))[0] == 30
    assert (await as_of(books, MARCH + DAY, MARCH + 2 * DAY))[0] == 100


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(6))
async def test_any_history_at_any_two_instants_is_the_sum_of_its_entries(
    books: Books, seed: int
) -> None:
    chance = random.Random(seed)
    closed = 0
    for step in range(60):
        at = books.now - timedelta(days=chance.randrange(0, 70)) * (chance.random() < 0.4)
        what = chance.random()
        party = chance.choice("AB")
        if what < 0.5:
            await books.order(
                f"o{step}", party, "m1", earned=chance.randrange(1, 99), at=max(at, MARCH),
                expires_in=timedelta(days=chance.randrange(1, 80)),
            )  # fmt: skip
        elif what < 0.75:
            await books.order(f"o{step}", party, "m1", spent=chance.randrange(1, 50), at=books.now)
        elif known := list(books._merchant_of_order):
            await books.refund(
                chance.choice(known), f"r{step}", kept=chance.randrange(0, 40), at=max(at, MARCH)
            )
        books.clock.set(books.now + timedelta(days=chance.randrange(0, 9)))
        if chance.random() < 0.2:
            await books.sweep()
        if chance.random() < 0.2:
            shut = await close(books, MARCH_MONTH + closed, f"c{step}")
            closed += shut["__typename"] == "PeriodClosed"

    closings = await books.rows("SELECT month, closed_at FROM period")
    legs = await books.rows(
        "SELECT t.effective_at, t.created_at, t.month, e.amount FROM ledger_tx t JOIN entry e "
        "ON e.seq = t.seq WHERE e.account = 'A'"
    )
    lines = await books.rows(
        "SELECT t.effective_at, t.created_at, t.month, c.points FROM ledger_tx t "
        "JOIN card_entry c ON c.seq = t.seq"
    )
    assert closed > 0
    span = (books.now - MARCH).days
    for _ in range(25):
        at = MARCH + timedelta(days=chance.randrange(0, span + 1), hours=chance.randrange(24))
        by = MARCH + timedelta(days=chance.randrange(0, span + 1), hours=chance.randrange(24))
        shut = max([m for m, closed_at in closings if closed_at <= to_micros(by)], default=-1)

        def summed(
            rows: list[tuple], at: datetime = at, by: datetime = by, shut: int = shut
        ) -> int:
            return sum(
                amount
                for effective, created, month, amount in rows
                if effective <= to_micros(at) and (created <= to_micros(by) or month <= shut)
            )

        points, _, net = await as_of(books, at, by)
        assert (points, net) == (summed(lines), summed(legs))
    standing = await books.standing("m1")
    points, _, net = await as_of(books, books.now)
    assert points == standing.available + standing.held + standing.pending - standing.debt
    assert net == (await books.positions()).get("A", 0)


@pytest.mark.parametrize(
    ("caller", "sees"),
    [
        (ADMIN, "cm"),
        (member("m1"), "c"),
        (member("m2"), ""),
        (merchant("A"), "m"),
        (merchant("B"), ""),
    ],
)
async def test_a_balance_is_shown_to_its_own_and_to_admins(
    books: Books, caller: Caller, sees: str
) -> None:
    answer = await books.ask(AS_OF, caller, at=MARCH.isoformat())

    [card], [shown] = answer.data["card"], answer.data["merchant"]
    assert (card["balanceAsOf"] is not None) == ("c" in sees)
    assert (shown["netAsOf"] is not None) == ("m" in sees)


async def test_a_balance_reads_no_table_from_end_to_end(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        asked.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await as_of(books, books.now)
        await as_of(books, books.now, books.now)
    finally:
        event.remove(Engine, "before_cursor_execute", note)

    plans = [
        row[3]
        for statement, values in asked
        for row in await books.rows(f"EXPLAIN QUERY PLAN {statement}", *values)
    ]
    assert len(asked) >= 9
    assert [plan for plan in plans if plan.startswith("SCAN")] == []
    assert any("entry_statement" in plan for plan in plans)
    assert any("lot_" in plan for plan in plans)
