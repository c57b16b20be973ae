"""A merge, or an order, whose commit is in doubt is answered by what the books say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kernel.database import Database, DatabaseUnavailable, InDoubt, Overloaded
from ledger.contract import CardsMerged, MergeCards
from tests.ledger.book import Books


class Doubtful:
    """A database whose next commit says that it may have failed; a second one fails as it ends."""

    def __init__(
        self, database: Database, *, keeps: bool, ends: Exception = InDoubt("the reply was lost")
    ) -> None:
        self._database = database
        self._keeps = keeps
        self._ends = ends
        self.doubts = 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def transaction(self, work: Callable[..., Any], **how: Any) -> Any:
        if self.doubts == 0:
            return await self._database.transaction(work, **how)
        self.doubts -= 1
        if self.doubts == 0 and not isinstance(self._ends, InDoubt):
            raise self._ends
        if self._keeps:
            await self._database.transaction(work, **how)
        raise InDoubt("the reply was lost")


async def merge(books: Books, *, keeps: bool, monkeypatch: pytest.MonkeyPatch) -> CardsMerged:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m2", earned=50)
    monkeypatch.setattr(books.ledger, "_database", Doubtful(books.ledger._database, keeps=keeps))
    return await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now))


async def test_a_merge_that_was_kept_is_answered(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = await merge(books, keeps=True, monkeypatch=monkeypatch)

    assert (merged.points_after, merged.replayed) == (150, True)
    assert books.ledger.commits_in_doubt == 1
    assert (await books.standing("m1")).available == 150
    assert (await books.verify()).is_sound


async def test_a_merge_that_was_not_kept_is_unavailable_and_can_be_asked_again(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DatabaseUnavailable) as told:
        await merge(books, keeps=False, monkeypatch=monkeypatch)

    assert not isinstance(told.value, InDoubt)
    merged = await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now))
    assert (merged.points_after, merged.replayed) == (150, False)


@pytest.mark.parametrize("ends", [DatabaseUnavailable("nothing was kept"), Overloaded("no place")])
async def test_what_was_kept_stays_in_doubt_when_the_books_can_not_be_asked(
    books: Books, monkeypatch: pytest.MonkeyPatch, ends: Exception
) -> None:
    database = Doubtful(books.ledger._database, keeps=True, ends=ends)
    monkeypatch.setattr(books.ledger, "_database", database)

    for doubtful in (
        books.order("o1", "A", "m1", earned=100),
        books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now)),
    ):
        database.doubts = 2
        with pytest.raises(InDoubt):
            await doubtful

    assert (await books.order("o1", "A", "m1", earned=100)).replayed
