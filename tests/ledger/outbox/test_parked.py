"""A message that its receiver rejects for good is put aside, until an admin decides."""

import json
from datetime import timedelta

import pytest

from ledger.outbox.delivery import Delivery, Rejected
from ledger.outbox.messages import REJECTIONS_MAX
from tests.ledger.book import MARCH, Books
from tests.ledger.outbox.receiver import (
    Receiver,
    Waits,
    booked,
    delivery,
    rejected_beside_others,
    sales,
)


@pytest.fixture
async def parked(books: Books) -> tuple[Books, Receiver, Delivery]:
    """Books with a parked message of m1, and its two followers."""
    await sales(books, 6, cards=2)
    receiver, clock = Receiver(), Waits()
    receiver.troubles["m1"] = Rejected("it answered 400")
    worker = delivery(books, receiver, clock)
    await rejected_beside_others(books, worker, clock, times=REJECTIONS_MAX - 1)
    assert await books.rows("SELECT stream FROM outbox WHERE parked_at IS NOT NULL") == []
    await rejected_beside_others(books, worker, clock, times=1)
    receiver.troubles.clear()
    return books, receiver, worker


RESUME = """
mutation ($input: ResumeMessageInput!) {
  resumeMessage(input: $input) { __typename ... on MessageResumed { replayed messageId } }
}
"""
PARKED = """
{ parkedMessages { nodes { id topic stream parkedAt lastError payload } } }
"""


async def parked_message(books: Books) -> dict:
    [message] = (await books.ask(PARKED)).data["parkedMessages"]["nodes"]
    return message


async def resume(books: Books, message_id: str, *, discard: bool) -> dict:
    given = {"requestId": "resume", "messageId": message_id, "discard": discard}
    return (await books.ask(RESUME, input=given)).data["resumeMessage"]


async def test_a_parked_message_is_shown_and_sent_anew_before_those_behind_it(
    parked: tuple[Books, Receiver, Delivery],
) -> None:
    books, receiver, worker = parked
    message = await parked_message(books)
    resumed = await resume(books, message["id"], discard=False)
    again = await resume(books, message["id"], discard=False)
    delivered = await worker.run_once()

    assert (message["topic"], message["stream"]) == ("ledger.order", "m1")
    assert message["lastError"] == "it answered 400"
    assert json.loads(message["payload"])["data"]["cardId"] == "m1"
    assert (resumed["replayed"], again["replayed"]) == (False, True)
    assert delivered == 3
    assert receiver.orders("m1") == await booked(books, "m1")
    assert (await books.ask(PARKED)).data["parkedMessages"]["nodes"] == []


async def test_what_waits_is_counted_and_how_long_the_oldest_has(
    parked: tuple[Books, Receiver, Delivery],
) -> None:
    books, receiver, worker = parked
    await worker.look()
    before = worker.waiting, worker.parked, worker.oldest_seconds
    clock = Waits()
    clock.set(MARCH + timedelta(hours=2))
    later = delivery(books, receiver, clock)
    await later.look()
    await resume(books, (await parked_message(books))["id"], discard=False)
    await worker.run_once()
    await worker.look()

    assert before == (2, 1, 0)
    assert (later.waiting, later.parked, later.oldest_seconds) == (2, 1, 7_200)
    assert (worker.waiting, worker.parked, worker.oldest_seconds) == (0, 0, 0)


async def test_a_message_that_is_given_up_frees_those_behind_it(
    parked: tuple[Books, Receiver, Delivery],
) -> None:
    books, receiver, worker = parked
    await resume(books, (await parked_message(books))["id"], discard=True)

    assert await worker.run_once() == 2
    assert receiver.orders("m1") == (await booked(books, "m1"))[1:]
