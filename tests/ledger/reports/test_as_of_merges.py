"""What two cards had, while they were one and when they were two, whatever became of them since."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from kernel.clock import to_micros
from kernel.refusals import Refusal
from ledger.contract import DebtPolicy, MergeCards, MergeSpent, UnmergeCards
from ledger.reports.as_of import AsOf, read_card_as_of
from tests.ledger.book import Books

pytestmark = pytest.mark.both_databases

CARDS = ("m1", "m2")


class Life:
    """Two cards that earn, spend, hold, give back, become one and two again."""

    def __init__(self, books: Books, chance: Random) -> None:
        self.books = books
        self.chance = chance
        self.merges = 0
        self.is_one = False
        self._step = 0
        self._burned: dict[str, int] = {}
        self._held: list[tuple[str, str]] = []

    async def happen(self) -> None:
        books, chance = self.books, self.chance
        self._step += 1
        what, card = chance.random(), chance.choice(CARDS)
        lives = timedelta(days=chance.randrange(1, 25))
        order_id, party = f"o{self._step}", chance.choice("AB")
        if what < 0.3:
            waits = timedelta(days=chance.choice((0, 0, 3)))
            earned = chance.randrange(1, 99)
            await books.order(
                order_id, party, card, earned=earned, active_in=waits, expires_in=lives + waits
            )
            self._burned[order_id] = 0
        elif what < 0.5:
            attempt, card = self._held.pop() if self._held else (None, card)
            receipt = await books.order(
                order_id, party, card, spent=chance.randrange(1, 60), attempt=attempt
            )
            self._burned[order_id] = receipt.points_burned
        elif what < 0.6 and self._burned:
            order_id = chance.choice(list(self._burned))
            returned = min(self._burned[order_id], chance.randrange(10))
            await books.refund(
                order_id, f"r{self._step}", kept=chance.randrange(10), points=returned
            )
        elif what < 0.7:
            attempt = f"h{self._step}"
            try:
                await books.hold(attempt, card, chance.randrange(1, 20))
                self._held.append((attempt, card))
            except Refusal:
                pass
        elif what < 0.78 and self._held:
            await books.release(*self._held.pop())
        else:
            await self._join_or_part()

    async def _join_or_part(self) -> None:
        books = self.books
        try:
            if self.is_one:
                name = f"mrg{self.merges}"
                await books.ledger.unmerge_cards(UnmergeCards(name, *CARDS, books.now))
            else:
                self.merges += 1
                name = f"mrg{self.merges}"
                await books.ledger.merge_cards(MergeCards(name, *CARDS, books.now))
            self.is_one = not self.is_one
        except MergeSpent:
            pass


async def points_as_of(books: Books, at: datetime, by: datetime | None = None) -> list[int]:
    now = to_micros(books.now)
    as_of = AsOf(to_micros(at), None if by is None else to_micros(by))
    return await books.subgraph.database.snapshot(
        lambda connection: [
            read_card_as_of(connection, card, as_of, now=now).points for card in CARDS
        ]
    )


@pytest.mark.parametrize("seed", range(6))
async def test_what_two_cards_had_is_what_they_had_then_however_often_they_merged_since(
    books: Books, seed: int
) -> None:
    chance = Random(seed)
    books.owe_by(chance.choice(list(DebtPolicy)))
    life = Life(books, chance)
    past: list[tuple[datetime, bool, list[int]]] = []
    for _ in range(50):
        books.clock.set(books.now + timedelta(hours=chance.randrange(1, 40)))
        await books.sweep()
        await life.happen()
        await books.sweep()
        standings = await books.ledger.balances(CARDS, now=books.now)
        had = [each.available + each.held + each.pending - each.debt for each in standings]
        assert await points_as_of(books, books.now) == had
        past.append((books.now, life.is_one, had))

    assert life.merges > 0
    for at, was_one, had in past:
        of_both = had[0] if was_one else sum(had)
        for told in (await points_as_of(books, at), await points_as_of(books, at, at)):
            if life.is_one:
                assert told == [of_both, of_both]
            elif was_one:
                assert told == [of_both, 0]
            else:
                assert told == had
