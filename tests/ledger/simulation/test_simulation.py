"""The whole write path under a seeded scheduler, in virtual time, over a store that fails.

Clients ask for one thing after the other on cards of their own, and repeat each until it is
answered. Whatever fails in between, every answer and every standing is the model's.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from kernel.clock import to_micros
from kernel.database import DatabaseUnavailable, Overloaded
from kernel.refusals import Refusal
from ledger import opening
from ledger.tables import metadata
from tests.ledger.book import Books
from tests.ledger.model import Model
from tests.ledger.simulation.faulty_store import Faults, FaultyStore
from tests.ledger.simulation.virtual_time import run_in_virtual_time

CLIENTS = 8


class Client:
    """Works on one card, in a merchant of its choice."""

    def __init__(self, number: int, world: World) -> None:
        self.card = f"m{number}"
        self.name = f"c{number}"
        self.world = world
        self.chance = Random(f"{world.seed} {number}")
        self.model = Model()
        self.count = 0
        self.attempts: list[str] = []
        self.orders: list[str] = []

    async def work(self, operations: int) -> None:
        for _ in range(operations):
            self.count += 1
            act = self.chance.choice(
                [self.earn, self.earn, self.spend, self.hold, self.capture, self.release,
                 self.refund]
            )  # fmt: skip
            await act()
            await self.compare()
            await asyncio.sleep(self.chance.choice([0, 0, 0.002, 0.5]))

    async def earn(self) -> None:
        await self.order(earned=self.chance.randrange(1, 90))

    async def spend(self) -> None:
        await self.order(spent=self.chance.randrange(1, 60), earned=self.chance.randrange(0, 9))

    async def order(self, *, earned: int = 0, spent: int = 0, attempt: str | None = None) -> None:
        order_id, now = f"{self.name}o{self.count}", self.now
        days = self.chance.choice([1, 40, 400])
        receipt = await self.until_answered(
            lambda: self.books.order(
                order_id, self.chance_merchant(order_id), self.card, earned=earned, spent=spent,
                attempt=attempt, expires_in=timedelta(days=days),
            )
        )  # fmt: skip
        expires = to_micros(self.books.now + timedelta(days=days))
        assert (receipt.points_burned, 0, receipt.debt_repaid) == self.model.order(
            order_id, self.card, attempt, spent=spent, coins=0, earned=earned, now=now, active=now,
            expires=expires,
        )  # fmt: skip
        self.orders.append(order_id)

    async def hold(self) -> None:
        attempt, points = f"{self.name}t{self.count}", self.chance.randrange(1, 70)
        outcome = await self.until_answered(lambda: self.books.hold(attempt, self.card, points))
        expected = self.model.hold(attempt, self.card, points, 0, self.now)
        assert (type(outcome).__name__ if isinstance(outcome, Refusal) else "HELD") == expected
        if expected == "HELD":
            self.attempts.append(attempt)

    async def capture(self) -> None:
        if self.attempts:
            attempt = self.attempts.pop(self.chance.randrange(len(self.attempts)))
            await self.order(spent=self.chance.randrange(1, 80), earned=1, attempt=attempt)

    async def release(self) -> None:
        if self.attempts:
            attempt = self.attempts.pop(0)
            outcome = await self.until_answered(lambda: self.books.release(attempt, self.card))
            freed = self.model.release(attempt, self.card, self.now)
            assert (outcome.points, outcome.coins_minor) == freed

    async def refund(self) -> None:
        if not self.orders:
            return
        order_id = self.chance.choice(self.orders)
        kept, points = self.chance.randrange(0, 60), self.chance.randrange(0, 60)
        request = self.books.refund_of(order_id, f"r{self.count}", kept=kept, points=points)
        receipt = await self.until_answered(lambda: self.books.ledger.apply_refund(request))
        told = (receipt.points_clawed_back, receipt.debt_created, receipt.points_returned)
        back = self.model.refund(order_id, kept=kept, points=points, coins=0, now=self.now)
        assert told == back[:3]

    async def until_answered(self, ask: Any) -> Any:
        """The first outcome, replayed or not; the world counts what it took."""
        while True:
            try:
                outcome = await ask()
            except Refusal as refusal:
                outcome = refusal
            except (DatabaseUnavailable, Overloaded) as error:
                self.world.note(self.name, type(error).__name__)
                await asyncio.sleep(self.chance.choice([0.001, 0.2]))
                continue
            if not isinstance(outcome, Refusal):
                outcome = replace(outcome, replayed=False)
            self.world.note(self.name, repr(outcome))
            return outcome

    async def compare(self) -> None:
        each = await self.books.standing(self.card)
        assert (
            each.available, each.held, each.pending, each.debt, each.coins_available,
            each.coins_held,
        ) == self.model.standing(self.card, self.now)  # fmt: skip

    def chance_merchant(self, order_id: str) -> str:
        return "ABC"[len(order_id) % 3]

    @property
    def books(self) -> Books:
        return self.world.books

    @property
    def now(self) -> int:
        return to_micros(self.books.now)


class World:
    """The ledger, its store, and what happened, as a running hash."""

    books: Books

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = Random(seed)
        self.faults = Faults()
        self.log = hashlib.sha256()

    def note(self, who: str, what: str) -> None:
        self.log.update(f"{asyncio.get_running_loop().time():.6f} {who} {what}\n".encode())

    async def live(self, operations: int) -> str:
        store = FaultyStore(metadata, self.chance, self.faults)

        async def give_store(*_: object) -> FaultyStore:
            return store

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(opening, "open_database", give_store)
            self.books = await Books.open("nowhere", lanes=2)
        store.is_faulty = True
        clients = [Client(number, self) for number in range(CLIENTS)]
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.work(operations // CLIENTS))
        store.is_faulty = False
        assert (await self.books.verify()).findings == ()
        await self.books.close()
        return self.log.hexdigest()


def simulate(seed: int, operations: int) -> tuple[str, int]:
    """The hash of all that happened, and how many faults there were."""
    world = World(seed)
    logging.disable(logging.CRITICAL)  # Each fault is logged, and there are thousands.
    try:
        return run_in_virtual_time(world.live(operations)), world.faults.happened
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_failing_store_changes_no_answer(seed: int) -> None:
    log, faults = simulate(seed, 600)

    assert faults > 20
    assert simulate(seed, 600) == (log, faults)  # The same seed runs the same way.


@pytest.mark.soak
def test_a_hundred_thousand_operations_over_a_failing_store(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, faults = simulate(20260310, 100_000)

    with capsys.disabled():
        print(f"seed 20260310: 100000 operations, {faults} faults, log {log}")
    assert faults > 1_000
