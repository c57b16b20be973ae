"""Lists whose rows have one instant are read page by page as they are read at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.contract import MergeCards
from ledger.outbox.delivery import Rejected
from ledger.outbox.messages import REJECTIONS_MAX
from tests.ledger.book import Books
from tests.ledger.outbox.receiver import Receiver, Waits, delivery, rejected_beside_others
from tests.ledger.outbox.test_notices import at, earn

pytestmark = pytest.mark.both_databases

PAGE = "(first: $first, after: $after) { nodes { %s } pageInfo { endCursor hasNextPage } }"
CARD = (
    """_entities(representations: [{__typename: "Card", id: "m1"}]) { ... on Card { page: %s } }"""
)
MERCHANT = """_entities(representations: [{__typename: "Merchant", id: "A"}]) {
  ... on Merchant { %s } }"""
LISTS = {
    "a card's history": CARD % f"entries{PAGE % 'id'}",
    "notices": CARD % f"expiryNotices{PAGE % 'lastDay daysAhead'}",
    "statements of a merchant": MERCHANT % f"page: statements{PAGE % 'id'}",
    "entries of a statement": MERCHANT % f"statements {{ nodes {{ page: entries{PAGE % 'id'} }} }}",
    "statements of a period": f"clearingPeriods {{ nodes {{ page: statements{PAGE % 'id'} }} }}",
    "periods": f"page: clearingPeriods{PAGE % 'id'}",
    "parked messages": f"page: parkedMessages{PAGE % 'id'}",
}


async def crowd(books: Books) -> None:
    """Three cards that are one, three merchants, three months and twelve parked messages."""
    for number in range(12):
        card, party = f"m{1 + number % 3}", "ABC"[number // 4]
        told = books.now - timedelta(days=31 * (number % 3))
        await books.order(f"o{number}", party, card, earned=10, at=told)
        await earn(books, f"e{number}", card)
        await books.order(f"s{number}", party, card, spent=3)
    for merged in ("m2", "m3"):
        await books.ledger.merge_cards(MergeCards(merged, "m1", merged, books.now))
    for number in range(5):
        await books.order(f"a{number}", "A", f"m{2 + number % 2}", earned=5, spent=2)
    receiver, clock = Receiver(), Waits()
    for number in range(10, 22):
        await books.order(f"q{number}", "A", f"m{number}", earned=5)
        receiver.troubles[f"m{number}"] = Rejected("it answered 400")
    worker = delivery(books, receiver, clock)
    await rejected_beside_others(books, worker, clock, times=REJECTIONS_MAX)
    for day in (date(2026, 11, 1), date(2026, 12, 1), date(2026, 12, 24)):
        await at(books, day)


def largest_page(answer: Any) -> Any:
    """Of all pages in an answer the one that has most, or the first."""
    if isinstance(answer, list):
        return max(map(largest_page, answer), key=lambda page: len(page["nodes"]))
    if "page" in answer:
        return answer["page"]
    return largest_page(next(iter(answer.values())))


async def test_no_page_skips_or_repeats_what_happened_at_one_instant(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL")
    await crowd(books)
    for name, wanted in LISTS.items():
        asked = f"query ($first: Int!, $after: String) {{ {wanted} }}"
        whole = largest_page((await books.ask(asked, first=100)).data)["nodes"]
        assert len({str(node) for node in whole}) == len(whole) > 2, name
        for first in (1, 2, 3):
            page = largest_page((await books.ask(asked, first=first)).data)
            read = page["nodes"]
            while page["pageInfo"]["hasNextPage"]:
                after = page["pageInfo"]["endCursor"]
                page = largest_page((await books.ask(asked, first=first, after=after)).data)
                read += page["nodes"]
            assert read == whole, (name, first)
