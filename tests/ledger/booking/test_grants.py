"""Admins grant coins, each grant once, within the funder's budget."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.booking import batch
from ledger.booking.books import LaneBooks
from ledger.contract import MergeCards
from ledger.families import family_books as families
from ledger.stores.port import Port
from tests.ledger.book import Books, member

GRANT = """
mutation ($input: GrantCoinsInput!) {
  grantCoins(input: $input) {
    __typename
    ... on CoinsGranted { replayed card { id coins { available { amountMinor currency } } } }
    ... on GrantOverBudgetRefusal { budgetLeft { amountMinor } }
    ... on NotFoundRefusal { id }
    ... on InvalidInputRefusal { problems { field message } }
    ... on Refusal { code message retryable }
  }
}
"""


def wish(request_id: str = "g1", amount: int = 500, **changes: object) -> dict[str, object]:
    return {
        "requestId": request_id,
        "cardId": "m1",
        "amount": {"amountMinor": amount, "currency": "CNY"},
        "reason": "a late parcel",
        **changes,
    }


async def grant(books: Books, request_id: str = "g1", amount: int = 500, **changes: object) -> dict:
    answer = await books.ask(GRANT, input=wish(request_id, amount, **changes))
    assert answer.errors is None, answer.errors
    return answer.data["grantCoins"]


async def test_the_alliance_grants_coins_and_pays_itself_no_fee(books: Books) -> None:
    granted = await grant(books)

    assert granted == {
        "__typename": "CoinsGranted",
        "replayed": False,
        "card": {"id": "m1", "coins": {"available": {"amountMinor": 500, "currency": "CNY"}}},
    }
    assert await books.positions() == {"ALLIANCE": -500, "POOL": 500}
    assert await books.rows("SELECT kind, reason FROM ledger_tx") == [("GRANT", "a late parcel")]
    assert (await books.verify()).is_sound


async def test_a_merchant_that_funds_a_grant_pays_the_issue_fee_too(books: Books) -> None:
    await grant(books, funderMerchantId="A")

    assert await books.positions() == {"A": -525, "ALLIANCE": 25, "POOL": 500}


async def test_a_repeated_grant_gives_nothing_more(books: Books) -> None:
    await grant(books)
    again = await grant(books)

    assert again["replayed"]
    assert again["card"]["coins"]["available"]["amountMinor"] == 500
    other = await grant(books, amount=501)
    assert other["code"] == "REQUEST_ID_REUSED"
    assert (await books.standing("m1")).coins_available == 500


async def test_a_merchant_that_leaves_funds_no_grant_and_a_repeat_of_an_older_one_is_answered(
    books: Books,
) -> None:
    before = await grant(books, "g1", funderMerchantId="A")
    books.town.held_until["A"] = books.now

    repeated = await grant(books, "g1", funderMerchantId="A")
    refused = await grant(books, "g2", funderMerchantId="A")

    assert (before["replayed"], repeated["replayed"]) == (False, True)
    assert [each["field"] for each in refused["problems"]] == ["funderMerchantId"]
    assert await books.positions() == {"A": -525, "ALLIANCE": 25, "POOL": 500}


async def test_a_funder_grants_up_to_its_budget_of_the_period(books: Books) -> None:
    books.settings = replace(books.settings, grant_budget_minor=1_000)
    await grant(books, "g1", 600, funderMerchantId="A")

    refused = await grant(books, "g2", 401, funderMerchantId="A")

    assert refused["__typename"] == "GrantOverBudgetRefusal"
    assert (refused["code"], refused["retryable"]) == ("GRANT_OVER_BUDGET", False)
    assert refused["budgetLeft"] == {"amountMinor": 400}
    assert (await grant(books, "g3", 400, funderMerchantId="A"))["__typename"] == "CoinsGranted"
    assert (await grant(books, "g4", 1_000))["__typename"] == "CoinsGranted"
    assert await grant(books, "g2", 401, funderMerchantId="A") == refused
    books.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    assert (await grant(books, "g5", 1_000, funderMerchantId="A"))["__typename"] == "CoinsGranted"
    assert (await books.verify()).is_sound


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"amount": {"amountMinor": 0, "currency": "CNY"}}, ["amount.amountMinor"]),
        ({"amount": {"amountMinor": -5, "currency": "GBP"}, "reason": " "},
         ["amount.amountMinor", "amount.currency", "reason"]),
        ({"reason": "x" * 201}, ["reason"]),
        ({"requestId": ""}, ["requestId"]),
    ],
)  # fmt: skip
async def test_a_grant_that_makes_no_sense_is_told_every_fault(
    books: Books, changes: dict[str, object], fields: list[str]
) -> None:
    answer = await books.ask(GRANT, input={**wish(), **changes})

    refused = answer.data["grantCoins"]
    assert [problem["field"] for problem in refused["problems"]] == fields
    assert await books.rows("SELECT count(*) FROM ledger_tx") == [(0,)]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [({"cardId": "nobody"}, "nobody"), ({"funderMerchantId": "Z"}, "Z")],
)
async def test_a_grant_names_a_card_and_a_merchant_that_exist(
    books: Books, changes: dict[str, object], missing: str
) -> None:
    refused = await grant(books, **changes)

    assert (refused["__typename"], refused["id"]) == ("NotFoundRefusal", missing)


async def test_another_currency_is_told_which_one_is_right(books: Books) -> None:
    asked = {**wish(), "amount": {"amountMinor": 1, "currency": "GBP"}}

    answer = await books.ask(GRANT, input=asked)

    assert [problem["message"] for problem in answer.data["grantCoins"]["problems"]] == [
        "must be CNY, the alliance's"
    ]


async def test_only_admins_grant_coins(books: Books) -> None:
    answer = await books.ask(GRANT, member("m1"), input=wish())

    assert answer.data == {"grantCoins": None}
    assert answer.errors[0].extensions["code"] == "FORBIDDEN"


async def test_two_grants_of_one_request_each_show_the_card_as_it_then_was(books: Books) -> None:
    both = """mutation ($one: GrantCoinsInput!, $two: GrantCoinsInput!) {
      one: grantCoins(input: $one) { ...on CoinsGranted { card { coins { available { amountMinor } } } } }
      two: grantCoins(input: $two) { ...on CoinsGranted { card { coins { available { amountMinor } } } } }
    }"""  # noqa: E501

    answer = await books.ask(both, one=wish("g1", 5), two=wish("g2", 7))

    shown = [answer.data[each]["card"]["coins"]["available"]["amountMinor"] for each in answer.data]
    assert shown == [5, 12]


@pytest.mark.both_databases
async def test_a_grant_to_a_card_made_one_with_others_locks_their_lanes_in_order(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = ["m1", "m2", "m3", "m4"]
    for number, card in enumerate(cards[1:]):
        await books.ledger.merge_cards(MergeCards(f"mrg{number}", "m1", card, books.now))
    locked: list[int] = []
    for room in (batch, families):
        opened = room.open_books

        def noted(port: Port, _opened: Any = opened, **span: int) -> LaneBooks:
            locked.append(port.lane)
            return _opened(port, **span)

        monkeypatch.setattr(room, "open_books", noted)

    for number, card in enumerate(cards):
        locked.clear()
        await grant(books, f"g{number}", cardId=card)

        assert locked == sorted(set(locked)), "one lane after the other, each once"
