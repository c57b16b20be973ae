"""Several lanes in one transaction of PostgreSQL are as each lane alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from kernel.database.postgresql_seats import Seat, SeatRows
from ledger import writer
from ledger.contract import OrderReceipt, Unbookable
from ledger.stores.lanes import lane_of
from tests.ledger.book import Books
from tests.ledger.random_days import answer_alike, random_requests
from tests.places import Places, PostgresPlaces

pytestmark = pytest.mark.postgresql
SIX = [f"m{number}" for number in range(1, 7)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the server is asked, from now on."""
    fetch, statements = Seat._fetch, []

    async def fetched(seat: Seat, statement: str, values: Sequence[Any]) -> SeatRows:
        statements.append(statement)
        return await fetch(seat, statement, values)

    monkeypatch.setattr(Seat, "_fetch", fetched)
    return statements


@pytest.fixture
def one_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked at the same time is booked in one transaction."""
    monkeypatch.setattr(writer, "AT_ONCE", 1)


async def earn(books: Books, day: str) -> None:
    await asyncio.gather(*(books.order(f"{day}-{card}", "A", card, earned=50) for card in SIX))


async def test_lanes_answer_as_one_lane_does(places: Places) -> None:
    one = await Books.open(places.address("one"))
    four = await Books.open(places.address("four"), lanes=4)
    days = [random_requests(day, 150, first=day * 150) for day in range(2)]
    await answer_alike(one, four, days)
    await one.close()
    await four.close()


@pytest.mark.usefixtures("one_at_once")
async def test_several_lanes_ask_no_more_often_than_one(places: Places, asked: list[str]) -> None:
    books = await Books.open(places.address("ledger"), lanes=16)
    assert len({lane_of(card, 16) for card in SIX}) > 3
    await books.order("first", "A", SIX[0], earned=1)
    await earn(books, "prepared")
    asked.clear()

    await asyncio.gather(*(books.order(f"o-{card}", "A", card, spent=20) for card in SIX[1:]))

    assert sum("INSERT INTO burn " in each for each in asked) == 1
    assert len(asked) == len(["heads", "what is foreseen", "lots", "rows"])
    assert (await books.verify()).is_sound
    await books.close()


@pytest.mark.usefixtures("one_at_once")
async def test_what_fails_in_one_lane_fails_alone(places: Places) -> None:
    books = await Books.open(places.address("ledger"), lanes=16)
    poison = books.order("o2", "A", SIX[2], earned=2**63)

    answers = await asyncio.gather(
        books.order("o1", "A", SIX[0], earned=10),
        poison,
        books.order("o3", "A", SIX[1], earned=10),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [OrderReceipt, Unbookable, OrderReceipt]
    assert books.ledger.batches_isolated == 1
    assert (await books.standing(SIX[1])).available == 10
    assert (await books.verify()).is_sound
    await books.close()


@pytest.mark.usefixtures("one_at_once")
async def test_a_lane_that_another_gateway_has_holds_up_no_other(places: Places) -> None:
    books = await Books.open(places.address("ledger"), lanes=16)
    await earn(books, "before")
    assert isinstance(places, PostgresPlaces)
    other = await asyncpg.connect(places.server.url)
    locking = other.transaction()
    await locking.start()
    heads = f"{places.schemas['ledger']}.lane_head"
    await other.execute(
        f"SELECT FROM {heads} WHERE lane = $1 FOR NO KEY UPDATE", lane_of(SIX[2], 16)
    )

    waiting = asyncio.create_task(books.order("late", "A", SIX[2], earned=10))
    others = [card for card in SIX if lane_of(card, 16) != lane_of(SIX[2], 16)]
    await asyncio.gather(*(books.order(f"o-{card}", "A", card, earned=10) for card in others))
    assert not waiting.done()
    await locking.rollback()

    assert isinstance(await waiting, OrderReceipt)
    assert (await books.verify()).is_sound
    await books.close()
    await other.close()
