"""Two gateways on one ledger tell everything, even while both believe that it is their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.ledger.book import Books
from tests.ledger.outbox.receiver import Receiver, delivery
from tests.places import Places

pytestmark = pytest.mark.postgresql


@pytest.fixture
async def gateways(places: Places) -> AsyncIterator[tuple[Books, Books]]:
    address = places.address("ledger")
    one, other = await Books.open(address, lanes=3), await Books.open(address, lanes=3)
    yield one, other
    await one.close()
    await other.close()


async def sell(gateways: tuple[Books, Books], name: str, count: int) -> None:
    await asyncio.gather(
        *(
            gateways[number % 2].order(
                f"{name}{number}",
                "A",
                f"m{number % 20}",
                earned=10,
                expires_in=timedelta(days=5 + number % 50),
            )
            for number in range(count)
        )
    )


async def test_two_gateways_that_announce_and_deliver_at_once_leave_nothing_out(
    gateways: tuple[Books, Books],
) -> None:
    await sell(gateways, "before", 60)
    receivers = Receiver(), Receiver()
    workers = [delivery(*pair) for pair in zip(gateways, receivers, strict=True)]

    for step in range(3):
        await asyncio.gather(
            *(gateway.subgraph.announce() for gateway in gateways),
            *(worker.run_once() for worker in workers),
            sell(gateways, f"during{step}-", 20),
        )
    await workers[0].run_once()

    told = {message.message_id for receiver in receivers for message in receiver.got}
    [(booked, announced)] = await gateways[0].rows(
        "SELECT (SELECT count(*) FROM ledger_tx), (SELECT count(*) FROM expiry_notice)"
    )
    assert len(told) == booked + announced > booked > 100
    assert await gateways[0].rows("SELECT * FROM outbox") == []
