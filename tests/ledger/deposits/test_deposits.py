"""Deposits: recorded and returned once, two-sided, and what they let a merchant owe."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import ceil

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.database.sqlite_dialect import connect
from ledger.deposits.credit import Credit, required_deposit
from tests.ledger.book import ADMIN, Books, merchant
from tests.ledger.clearing.test_periods import APRIL_2, MARCH, close
from tests.ledger.statements.test_statement_life import take

SHOW = """
query ($id: ID!) {
  _entities(representations: [{__typename: "Merchant", id: $id}]) {
    ... on Merchant {
      deposit {
        balance { amountMinor } required { amountMinor } owed { amountMinor } limit { amountMinor }
        issuingAllowed suspendedBecause
        movements(first: 2) { nodes { id amount { amountMinor } reason } pageInfo { hasNextPage } }
      }
    }
  }
}
"""
MOVE = """
mutation ($input: %sInput!) {
  answer: %s(input: $input) {
    __typename
    ... on DepositRecorded { replayed }
    ... on DepositReturned { replayed }
    ... on DepositHeldRefusal { heldUntil }
    ... on DepositTooLowRefusal { balance { amountMinor } owed { amountMinor } }
    ... on Refusal { code }
  }
}
"""
RECORD = MOVE % ("RecordDeposit", "recordDeposit")
RETURN = MOVE % ("ReturnDeposit", "returnDeposit")


async def move(
    books: Books, document: str, request_id: str, amount: int, merchant_id: str = "A"
) -> dict:
    answer = await books.ask(
        document,
        input={
            "requestId": request_id,
            "merchantId": merchant_id,
            "amount": {"amountMinor": amount, "currency": "CNY"},
            "reason": f"because of {amount}",
        },
    )
    assert answer.errors is None, answer.errors
    return answer.data["answer"]


async def shown(books: Books, merchant_id: str = "A") -> dict:
    answer = await books.ask(SHOW, merchant(merchant_id), id=merchant_id)
    assert answer.errors is None, answer.errors
    deposit = answer.data["_entities"][0]["deposit"]
    return {
        name: value["amountMinor"] if isinstance(value, dict) and "amountMinor" in value else value
        for name, value in deposit.items()
    }


def require_deposits(books: Books) -> None:
    books.settings = replace(books.settings, deposits_required=True)


async def test_a_deposit_is_recorded_and_returned_once_for_its_request(books: Books) -> None:
    first = await move(books, RECORD, "a", 500)
    again = await move(books, RECORD, "a", 500)
    other = await move(books, RECORD, "a", 501)
    too_much = await move(books, RETURN, "b", 501)
    back = await move(books, RETURN, "c", 200)

    assert (first["replayed"], again["replayed"], back["replayed"]) == (False, True, False)
    assert other["code"] == "REQUEST_ID_REUSED"
    assert too_much == {
        "__typename": "DepositTooLowRefusal",
        "balance": {"amountMinor": 500},
        "owed": {"amountMinor": 0},
        "code": "DEPOSIT_TOO_LOW",
    }
    deposit = await shown(books)
    assert deposit["balance"] == 300
    assert [each["amount"]["amountMinor"] for each in deposit["movements"]["nodes"]] == [-200, 500]
    assert not deposit["movements"]["pageInfo"]["hasNextPage"]


async def test_a_movement_has_two_sides_and_touches_no_settlement(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    before = await books.positions()
    await move(books, RECORD, "a", 500)
    await move(books, RETURN, "b", 120)

    assert await books.rows(
        "SELECT account, sum(amount) FROM deposit_entry GROUP BY account ORDER BY account"
    ) == [("A", 380), ("DEPOSITS", -380)]
    assert await books.positions() == before
    report = await books.verify()
    assert report.findings == ()


@pytest.mark.parametrize(
    "change", ["UPDATE deposit_entry SET amount = 1", "DELETE FROM deposit_entry"]
)
async def test_what_was_recorded_can_not_be_changed(books: Books, change: str) -> None:
    await move(books, RECORD, "a", 500)

    with closing(connect(books.path)) as raw, pytest.raises(apsw.ConstraintError):
        raw.execute(change)


async def test_nobody_leaves_a_deposit_for_a_merchant_that_is_none(books: Books) -> None:
    books.settings = replace(books.settings, alliance_merchant_id="C")

    assert (await move(books, RECORD, "a", 1, "Z"))["code"] == "NOT_FOUND"
    assert (await move(books, RECORD, "b", 1, "C"))["code"] == "NOT_FOUND"


async def test_who_owes_over_120_percent_of_its_deposit_is_suspended_until_it_is_raised(
    books: Books,
) -> None:
    require_deposits(books)
    issuing = books.subgraph.issuing
    await move(books, RECORD, "a", 100)
    allowed = []
    for number, earned in enumerate((100, 10, 4, 1)):
        await books.order(f"o{number}", "A", "m1", earned=earned)
        deposit = await shown(books)
        allowed.append((deposit["owed"], await issuing.issuing_allowed("A")))
        assert deposit["issuingAllowed"] == allowed[-1][1]
        assert deposit["limit"] == 120

    assert allowed == [(105, True), (105 + 11, True), (105 + 11 + 4, True), (121, False)]
    assert "121 minor units" in (await shown(books))["suspendedBecause"]
    await move(books, RECORD, "b", 1)
    assert await issuing.issuing_allowed("A")
    assert (await shown(books))["suspendedBecause"] is None


async def test_without_a_deposit_nothing_may_be_owed_and_what_comes_in_is_no_debt(
    books: Books,
) -> None:
    require_deposits(books)
    assert await books.subgraph.issuing.issuing_allowed("A")
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=50)

    assert not await books.subgraph.issuing.issuing_allowed("A")
    assert await books.subgraph.issuing.issuing_allowed("B")
    assert (await shown(books, "B"))["owed"] == 0


async def test_the_alliances_own_shop_and_an_alliance_without_deposits_ask_for_none(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)
    assert await books.subgraph.issuing.issuing_allowed("A")
    assert (await shown(books))["suspendedBecause"] is None

    require_deposits(books)
    books.settings = replace(books.settings, alliance_merchant_id="A")
    assert await books.subgraph.issuing.issuing_allowed("A")


async def test_the_required_deposit_follows_the_last_three_closed_periods(books: Books) -> None:
    required = [(await shown(books))["required"]]
    for number, earned in enumerate((1_000, 100, 10, 1)):
        await books.order(f"o{number}", "A", "m1", earned=earned)
        books.clock.set(books.now + timedelta(days=31))
        await close(books, MARCH + number, f"c{number}")
        required.append((await shown(books))["required"])

    nets = [1_050, 105, 11, 1]
    assert required == [0, 1_050, ceil(Fraction(1_155, 2)), ceil(Fraction(1_166, 3)), 39]
    assert required[-1] == ceil(Fraction(sum(nets[1:]), 3))
    assert (await shown(books))["owed"] == 0


@given(st.lists(st.integers(-(10**12), 10**12), max_size=3))
def test_a_required_deposit_is_the_average_rounded_up(nets: list[int]) -> None:
    paid = [max(0, -net) for net in nets]
    exact = Fraction(sum(paid), len(paid) or 1)

    assert exact <= required_deposit(nets) < exact + 1


@given(st.integers(0, 10**13), st.integers(0, 10**14))
def test_a_merchant_may_issue_up_to_exactly_six_fifths_of_its_deposit(
    balance: int, owed: int
) -> None:
    credit = Credit(balance=balance, required=0, owed=owed, is_policed=True)

    assert credit.may_issue == (Fraction(owed) <= Fraction(balance) * 6 / 5)


async def test_the_deposit_of_a_merchant_that_leaves_is_held_until_returns_are_over(
    books: Books,
) -> None:
    await move(books, RECORD, "a", 500)
    books.town.held_until["A"] = books.now + timedelta(days=30)

    held = await move(books, RETURN, "b", 500)
    books.clock.set(books.now + timedelta(days=30))
    returned = await move(books, RETURN, "b", 500)

    assert held["code"] == "DEPOSIT_HELD"
    assert returned["__typename"] == "DepositReturned"


async def test_the_deposit_of_a_merchant_that_leaves_covers_what_it_has_not_paid(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=10_000)
    [owed] = [-net for account, net in (await books.positions()).items() if account == "A"]
    await move(books, RECORD, "a", owed + 500)
    books.town.held_until["A"] = books.now
    asked = [owed + 500, 501, 500, owed]

    open_still = [await move(books, RETURN, f"b{amount}", amount) for amount in asked[:2]]
    books.clock.set(APRIL_2)
    await close(books, MARCH)
    unpaid = [await move(books, RETURN, f"c{amount}", amount) for amount in asked[1:]]
    await take(books, "confirmStatement", merchant("A"))
    await take(books, "recordPayment", ADMIN, reference="SEPA 1")
    paid = await move(books, RETURN, "d", owed)

    assert [each["code"] for each in (*open_still, unpaid[0], unpaid[2])] == ["DEPOSIT_TOO_LOW"] * 4
    assert unpaid[2]["owed"]["amountMinor"] == unpaid[2]["balance"]["amountMinor"] == owed > 0
    assert (unpaid[1]["__typename"], paid["__typename"]) == ("DepositReturned",) * 2


async def test_verification_names_a_movement_with_one_side(books: Books) -> None:
    await move(books, RECORD, "a", 500)
    with closing(connect(books.path)) as raw:
        raw.execute(
            "INSERT INTO deposit_entry SELECT lane, 7, leg, account, amount, reason, recorded_by, "
            "recorded_at FROM deposit_entry WHERE leg = 0"
        )

    [finding] = (await books.verify()).findings
    assert (finding.invariant, finding.row) == ("deposits", "movement 7")
