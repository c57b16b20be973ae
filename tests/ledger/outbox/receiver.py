"""A receiver of messages that does what a test sets, and a worker that delivers to it."""

import asyncio
import json
from collections.abc import Callable

from kernel.clock import SetClock
from ledger.outbox.delivery import Delivery, ReceiverAway
from ledger.outbox.outbox_sql import Waiting
from tests.ledger.book import MARCH, Books


class Killed(BaseException):
    """The process ended here."""


class Receiver:
    """Takes messages, or does what the test sets for them.

    Attributes:
        got: every message that arrived, repeats included.
        troubles: by stream, what befalls its messages instead.
        dies_after: how many arrivals until the sender's process ends, unmarked.
        on_arrival: called whenever a message arrives.
    """

    def __init__(self) -> None:
        self.got: list[Waiting] = []
        self.troubles: dict[str, Exception] = {}
        self.is_away = False
        self.dies_after: int | None = None
        self.on_arrival: Callable[[], object] = list

    async def send(self, message: Waiting) -> None:
        await asyncio.sleep(0)  # As a real one, it lets others go on.
        if self.is_away:
            raise ReceiverAway("nobody there")
        if message.stream in self.troubles:
            raise self.troubles[message.stream]
        self.got.append(message)
        self.on_arrival()
        if self.dies_after is not None and len(self.got) >= self.dies_after:
            raise Killed

    def orders(self, card: str) -> list[str]:
        """Numbers of the transactions of a card, repeats dropped by their id."""
        seen: dict[str, str] = {}
        for message in self.got:
            if message.stream == card:
                seen.setdefault(
                    message.message_id, json.loads(message.payload)["data"]["transaction"]
                )
        return list(seen.values())


class Waits(SetClock):
    """A clock whose waiting the test does."""

    def __init__(self) -> None:
        super().__init__(MARCH)
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def delivery(books: Books, receiver: Receiver, clock: Waits | None = None) -> Delivery:
    database = books.subgraph.context_for(None, "", "").database
    return Delivery(database, receiver, clock=clock or Waits())


async def booked(books: Books, card: str) -> list[str]:
    """Numbers of the transactions of a card, in their order."""
    rows = await books.rows(
        f"SELECT lane, seq FROM ledger_tx WHERE card_id = '{card}' ORDER BY seq"
    )
    return [f"{lane}-{seq}" for lane, seq in rows]


async def sales(books: Books, count: int, cards: int = 3) -> None:
    for number in range(count):
        await books.order(f"o{number}", "A", f"m{number % cards}", earned=10)


async def rejected_beside_others(books: Books, worker: Delivery, clock: Waits, times: int) -> None:
    """Lets a card's message be tried so often, while the receiver takes those of card `busy`."""
    for number in range(times):
        await books.order(f"beside{clock.seconds}-{number}", "A", "busy", earned=1)
        await worker.run_once()
        clock.seconds += 1_000
