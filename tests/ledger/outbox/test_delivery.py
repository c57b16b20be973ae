"""What happened in the books reaches a receiver: at least once, in order, whatever fails."""

import asyncio
import json
import logging
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.outbox import from_books_sql, outbox_sql
from ledger.outbox.delivery import Delivery, ReceiverAway, Rejected
from ledger.outbox.messages import REJECTIONS_MAX, pause_after
from ledger.outbox.outbox_sql import Waiting
from tests.ledger.book import MARCH, Books
from tests.ledger.outbox.receiver import (
    Killed,
    Receiver,
    Waits,
    booked,
    delivery,
    rejected_beside_others,
    sales,
)


async def test_every_transaction_is_told_once_with_what_it_did(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.order("o2", "B", "m1", spent=200)
    receiver = Receiver()

    assert await delivery(books, receiver).run_once() == 2
    assert await delivery(books, receiver).run_once() == 0

    told = [json.loads(message.payload) for message in receiver.got]
    assert [(each["type"], each["timestamp"]) for each in told] == [
        ("ledger.order", "2026-03-10T04:00:00Z")
    ] * 2
    data = told[1]["data"]
    assert data["card"] == [
        {
            "kind": "BURN",
            "points": -200,
            "coinsMinor": 0,
            "pointsAfter": 300,
            "coinsAfterMinor": 0,
        }
    ]
    assert (data["merchantId"], data["orderNo"], data["period"]) == ("B", "no-o2", "2026-03")
    assert sum(leg["amountMinor"] for leg in data["settlement"]) == 0
    assert await books.rows("SELECT * FROM outbox") == []


async def test_a_worker_killed_between_sending_and_marking_sends_again_under_the_same_id(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.sqlite"
    receiver = Receiver()
    books = await Books.open(path)
    try:
        await sales(books, 40)
        for deaths in (1, 4, 2):
            receiver.dies_after = len(receiver.got) + deaths
            with pytest.raises(Killed):
                await delivery(books, receiver).run_once()
            await books.close()
            books = await Books.open(path)
        receiver.dies_after = None
        await delivery(books, receiver).run_once()
    finally:
        await books.close()

    times = Counter(message.message_id for message in receiver.got)
    assert len(times) == 40
    assert max(times.values()) > 1
    for card in ("m0", "m1", "m2"):
        numbers = [int(number.split("-")[1]) for number in receiver.orders(card)]
        assert numbers == sorted(numbers)


async def test_a_poison_message_parks_and_only_its_own_card_waits(books: Books) -> None:
    await sales(books, 30)
    receiver, clock = Receiver(), Waits()
    receiver.troubles["m1"] = Rejected("it answered 400")
    worker = delivery(books, receiver, clock)

    await worker.run_once()
    assert Counter(message.stream for message in receiver.got) == {"m0": 10, "m2": 10}
    await rejected_beside_others(books, worker, clock, times=REJECTIONS_MAX + 3)

    parked = await books.rows(
        "SELECT stream, rejections, last_error FROM outbox WHERE parked_at IS NOT NULL"
    )
    assert parked == [("m1", REJECTIONS_MAX, "it answered 400")]
    await books.order("later", "A", "m2", earned=1)
    assert await worker.run_once() == 1


async def test_a_receiver_that_rejects_everything_for_days_has_nothing_parked(
    books: Books,
) -> None:
    await sales(books, 30)
    receiver, clock = Receiver(), Waits()
    receiver.troubles = {f"m{card}": Rejected("it answered 500") for card in range(3)}
    worker = delivery(books, receiver, clock)

    for _ in range(50):
        await worker.run_once()
        clock.seconds += 5_000
    rejections = await books.rows("SELECT DISTINCT rejections, parked_at FROM outbox ORDER BY 1")
    receiver.troubles.clear()

    assert rejections == [(0, None), (1, None)]
    assert await worker.run_once() == 30
    for card in ("m0", "m1", "m2"):
        assert receiver.orders(card) == await booked(books, card)


async def test_messages_rejected_by_everyone_wait_longer_each_time(books: Books) -> None:
    await sales(books, 1)
    receiver, clock = Receiver(), Waits()
    worker = delivery(books, receiver, clock)
    receiver.troubles["m0"] = Rejected("it answered 500")
    for pause in (5.0, 10.0, 20.0):
        await worker.run_once()
        clock.seconds += pause
    receiver.troubles.clear()

    clock.seconds -= 0.1
    early = await worker.run_once()
    clock.seconds += 0.1
    late = await worker.run_once()

    assert (early, late) == (0, 1)


async def test_a_card_whose_messages_are_refused_takes_no_room_from_others(books: Books) -> None:
    receiver, clock = Receiver(), Waits()
    receiver.troubles["m0"] = Rejected("no")
    worker = delivery(books, receiver, clock)
    for number in range(outbox_sql.WAITING_MAX + 60):
        await books.order(f"o{number}", "A", "m0", earned=1)
        if number == 0:
            await worker.run_once()
    await books.order("other", "A", "m1", earned=1)

    await worker.run_once()

    assert [message.stream for message in receiver.got] == ["m1"]


@pytest.mark.both_databases
async def test_a_receiver_that_rejects_everything_gets_no_copy_of_the_books(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_sql, "KEPT_MAX", 30)
    monkeypatch.setattr(from_books_sql, "TAKEN_AT_ONCE", 7)
    monkeypatch.setattr("ledger.outbox.delivery.READ_AT_ONCE", 4)
    await sales(books, 80, cards=40)
    receiver, clock = Receiver(), Waits()
    receiver.troubles = {f"m{card}": Rejected("it answered 500") for card in range(40)}
    worker = delivery(books, receiver, clock)

    for _ in range(3):
        await worker.run_once()
        clock.seconds += 1_000
        assert await books.rows("SELECT count(*) FROM outbox") == [(30,)]
    receiver.troubles.clear()

    assert await worker.run_once() == 80
    for card in ("m0", "m39"):
        assert receiver.orders(card) == await booked(books, card)


async def test_a_server_that_stops_waits_for_what_is_on_its_way_and_for_no_backlog(
    books: Books,
) -> None:
    await sales(books, 60, cards=30)
    receiver = Receiver()
    worker = delivery(books, receiver)
    receiver.on_arrival = worker.end

    assert await worker.run_once() == len(receiver.got) < 60
    assert await books.rows("SELECT count(*) FROM outbox") == [(60 - len(receiver.got),)]


async def test_a_fault_of_our_own_counts_as_a_rejection(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    await sales(books, 2, cards=2)
    receiver = Receiver()
    receiver.troubles["m0"] = KeyError("bug")

    with caplog.at_level(logging.CRITICAL):
        assert await delivery(books, receiver).run_once() == 1


async def test_while_the_receiver_is_away_nothing_is_to_blame(books: Books) -> None:
    await sales(books, 5)
    receiver, clock = Receiver(), Waits()
    worker = delivery(books, receiver, clock)
    receiver.is_away = True
    for _ in range(20):
        await worker.run_once()
        clock.seconds += 10_000
    receiver.is_away = False

    assert await books.rows("SELECT max(rejections) FROM outbox") == [(0,)]
    assert await worker.run_once() == 5


async def test_a_receiver_that_is_away_is_left_alone_for_a_while(books: Books) -> None:
    await sales(books, 1)
    receiver, clock = Receiver(), Waits()
    worker = delivery(books, receiver, clock)
    receiver.is_away = True
    await worker.run_once()
    receiver.is_away = False

    clock.seconds = 4.9
    early = await worker.run_once()
    clock.seconds = 5.0
    late = await worker.run_once()

    assert (early, late) == (0, 1)


async def test_an_absence_that_many_messages_met_at_once_is_one(books: Books) -> None:
    await sales(books, 10)
    receiver, clock = Receiver(), Waits()
    worker = delivery(books, receiver, clock)
    receiver.is_away = True
    await worker.run_once()
    clock.seconds = 5.0
    await worker.run_once()
    receiver.is_away = False

    clock.seconds = 14.9
    early = await worker.run_once()
    clock.seconds = 15.0
    late = await worker.run_once()

    assert (early, late) == (0, 10)


async def test_business_time_that_jumps_holds_nothing_up(books: Books) -> None:
    await sales(books, 3)
    receiver, clock = Receiver(), Waits()
    receiver.troubles["m0"] = Rejected("no")
    worker = delivery(books, receiver, clock)
    await worker.run_once()
    clock.set(MARCH - timedelta(days=900))
    receiver.troubles.clear()
    clock.seconds = 5.0

    assert await worker.run_once() == 1


@given(st.integers(min_value=1, max_value=10_000))
def test_pauses_grow_and_end_at_a_quarter_of_an_hour(failures: int) -> None:
    assert 5 <= pause_after(failures) <= pause_after(failures + 1) <= 900


class Late(Receiver):
    """Answers its first message when the test lets it, and is away from then on."""

    def __init__(self, answer: Exception | None) -> None:
        super().__init__()
        self.answer = answer
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def send(self, message: Waiting) -> None:
        if self.arrived.is_set():
            raise ReceiverAway("nobody there")
        self.arrived.set()
        await self.may_answer.wait()
        if self.answer is not None:
            raise self.answer


@pytest.mark.parametrize("answer", [None, Rejected("it answered 400")])
async def test_a_sender_that_comes_late_leaves_the_message_that_followed_alone(
    books: Books, answer: Exception | None
) -> None:
    late, prompt = Late(answer), Receiver()
    await books.order("o1", "A", "m1", earned=10)
    sending = asyncio.create_task(delivery(books, late).run_once())
    await late.arrived.wait()
    assert await delivery(books, prompt).run_once() == 1
    await books.order("o2", "A", "m1", earned=10)
    prompt.is_away = True
    await delivery(books, prompt).run_once()
    waiting = await books.rows("SELECT message_id, rejections FROM outbox")
    assert len(waiting) == 1

    late.may_answer.set()
    await sending

    assert await books.rows("SELECT message_id, rejections FROM outbox") == waiting


async def test_of_two_processes_the_one_whose_turn_it_is_delivers(books: Books) -> None:
    await sales(books, 40)
    database = books.subgraph.context_for(None, "", "").database
    receivers = Receiver(), Receiver()
    turn = 0
    asked = 0

    def process(number: int) -> Delivery:
        async def is_ours() -> bool:
            nonlocal turn, asked
            asked += number == 0
            turn = int(asked > 2)  # It is the other's after a first batch.
            return turn == number

        return Delivery(database, receivers[number], clock=Waits(), is_ours=is_ours)

    counts = [await process(number).run_once() for number in range(2)]

    assert sum(counts) == 40
    assert min(counts) > 0
    assert [len(receiver.got) for receiver in receivers] == counts
    told = Counter(message.message_id for receiver in receivers for message in receiver.got)
    assert set(told.values()) == {1}
    in_order = [
        json.loads(message.payload)["data"]["transaction"]
        for receiver in receivers
        for message in receiver.got
        if message.stream == "m1"
    ]
    assert in_order == await booked(books, "m1")
