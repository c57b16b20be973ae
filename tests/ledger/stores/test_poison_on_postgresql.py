"""A request that PostgreSQL can not hold fails alone, as it does on SQLite."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from kernel.database.postgresql_seats import Seat, SeatRows
from ledger.contract import OrderReceipt, Unbookable
from tests.ledger.book import Books
from tests.places import Places

pytestmark = pytest.mark.postgresql


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param({"order": "o2", "earned": 2**63}, id="a number of 64 bits"),
        pytest.param({"order": "o2", "earned": 2**63 - 5}, id="a sum of 64 bits"),
        pytest.param({"order": "o\0", "earned": 10}, id="a text with U+0000"),
    ],
)
async def test_what_postgresql_can_not_hold_fails_alone(
    places: Places, poison: dict[str, Any]
) -> None:
    books = await Books.open(places.address("ledger"))

    answers = await asyncio.gather(
        books.order("o1", "A", "m1", earned=10),
        books.order(poison["order"], "A", "m1", earned=poison["earned"]),
        books.order("o3", "A", "m1", earned=10),
        return_exceptions=True,
    )

    kinds = [OrderReceipt, Unbookable, OrderReceipt]
    assert [type(answer) for answer in answers] == kinds
    assert (await books.standing("m1")).available == 20
    assert (await books.verify()).is_sound
    await books.close()


async def test_a_connection_that_falls_silent_fails_no_request_of_a_batch(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = await Books.open(places.address("ledger"))
    fetch, silent = Seat._fetch, []

    async def falls_silent(seat: Seat, statement: str, values: Sequence[Any]) -> SeatRows:
        if books.ledger.batches_isolated and not silent and "INSERT INTO ledger_tx" in statement:
            silent.append(statement)
            raise TimeoutError
        return await fetch(seat, statement, values)

    monkeypatch.setattr(Seat, "_fetch", falls_silent)

    answers = await asyncio.gather(
        books.order("o1", "A", "m1", earned=10),
        books.order("o2", "A", "m1", earned=2**63),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers] == [OrderReceipt, Unbookable]
    assert len(silent) == 1
    await books.close()
