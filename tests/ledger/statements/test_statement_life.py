"""A statement is confirmed or disputed by its merchant, adjusted and paid by the alliance."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from kernel.callers import Caller
from kernel.refusals import refusal_from_json
from ledger.reports.export import ExportFormat
from ledger.rules.periods import period_id
from ledger.statements.life import State, StatementState, Step, state_after
from tests.ledger.book import ADMIN, Books, member, merchant
from tests.ledger.clearing.test_periods import APRIL_2, MARCH, a_march, close, nets, period

pytestmark = pytest.mark.both_databases
A = merchant("A")
TAKE = """
mutation ($input: %sInput!) {
  %s(input: $input) {
    __typename
    ... on StatementChanged {
      replayed
      statement {
        state disputableUntil
        steps { state at byMerchant reason adjustment { amountMinor } }
      }
    }
    ... on StatementStateRefusal { state disputableUntil }
    ... on Refusal { code message retryable }
  }
}
"""


@pytest.fixture
def lanes() -> int:
    return 3


@pytest.fixture
async def march(books: Books) -> Books:
    await a_march(books)
    books.clock.set(APRIL_2)
    await close(books, MARCH)
    return books


async def take(
    books: Books,
    name: str,
    caller: Caller,
    *,
    request: str = "r",
    month: int = MARCH,
    **given: object,
) -> dict:
    kind = name[0].upper() + name[1:]
    ids = {"requestId": request, "periodId": period_id(month), "merchantId": "A"}
    answer = await books.ask(TAKE % (kind, name), caller, input=ids | given)
    if answer.errors:
        return {"code": answer.errors[0].extensions["code"]}
    return answer.data[name]


def state(answer: dict) -> str:
    return answer["statement"]["state"]


def money(amount: int, currency: str = "CNY") -> dict:
    return {"amountMinor": amount, "currency": currency}


async def test_a_confirmed_statement_is_paid_once(march: Books) -> None:
    confirmed = await take(march, "confirmStatement", A)
    again = await take(march, "confirmStatement", A)
    other = await take(march, "confirmStatement", A, request="another")
    paid = await take(march, "recordPayment", ADMIN, reference="SEPA 1")
    twice = await take(march, "recordPayment", ADMIN, request="twice", reference="SEPA 2")

    assert (state(confirmed), confirmed["replayed"], again["replayed"]) == (
        "CONFIRMED",
        False,
        True,
    )
    assert (other["code"], other["state"]) == ("STATEMENT_STATE", "CONFIRMED")
    assert state(paid) == "PAID"
    assert (twice["code"], twice["state"]) == ("STATEMENT_STATE", "PAID")
    assert paid["statement"]["steps"] == [
        {"state": "CONFIRMED", "at": "2026-04-02T00:00:00Z", "byMerchant": True, "reason": None,
         "adjustment": None},
        {"state": "PAID", "at": "2026-04-02T00:00:00Z", "byMerchant": False, "reason": "SEPA 1",
         "adjustment": None},
    ]  # fmt: skip


async def test_a_disputed_statement_is_not_paid_before_it_is_resolved(march: Books) -> None:
    before = await exported(march, MARCH)
    positions = await march.positions()

    disputed = await take(march, "disputeStatement", A, reason="one order is not ours")
    refused = await take(march, "recordPayment", ADMIN, request="early", reference="x")
    march.clock.set(march.now + timedelta(days=30))
    late = await take(march, "recordPayment", ADMIN, request="late", reference="x")
    resolved = await take(
        march, "resolveDispute", ADMIN, adjustment=money(125), reason="order 7 was returned"
    )
    paid = await take(march, "recordPayment", ADMIN, request="now", reference="x")

    assert state(disputed) == "DISPUTED"
    assert (refused["state"], late["state"]) == ("DISPUTED", "DISPUTED")
    assert (state(resolved), state(paid)) == ("CONFIRMED", "PAID")
    assert resolved["statement"]["steps"][-1]["adjustment"] == {"amountMinor": 125}
    after = await march.positions()
    assert after["A"] == positions["A"] + 125
    assert after["ALLIANCE"] == positions["ALLIANCE"] - 125
    shown = await period(march, MARCH + 2)
    [entry] = [
        entry for each in shown["statements"]["nodes"] for entry in each["entries"]["nodes"]
        if entry["kind"] == "ADJUSTMENT"
    ]  # fmt: skip
    assert (entry["originPeriod"], entry["amount"]["amountMinor"]) == (period_id(MARCH), 125)
    assert await exported(march, MARCH) == before
    assert (await march.verify()).findings == ()


async def test_a_dispute_is_withdrawn_by_confirming(march: Books) -> None:
    await take(march, "disputeStatement", A, reason="?")

    withdrawn = await take(march, "confirmStatement", A)

    assert [each["state"] for each in withdrawn["statement"]["steps"]] == ["DISPUTED", "CONFIRMED"]


async def test_what_nobody_disputed_in_ten_days_is_accepted(march: Books) -> None:
    early = await take(march, "recordPayment", ADMIN, request="early", reference="x")
    march.clock.set(march.now + timedelta(days=10))
    late = await take(march, "disputeStatement", A, reason="too late")
    paid = await take(march, "recordPayment", ADMIN, request="due", reference="x")

    assert (early["state"], early["disputableUntil"]) == ("ISSUED", "2026-04-12T00:00:00Z")
    assert (late["code"], late["state"]) == ("STATEMENT_STATE", "ISSUED")
    assert state(paid) == "PAID"


async def test_a_period_is_settled_once_all_is_paid(march: Books) -> None:
    await take(march, "confirmStatement", A)
    await take(march, "recordPayment", ADMIN, reference="x")
    assert set(nets(await period(march, MARCH))) == {"A", "B"}
    assert (await period(march, MARCH))["state"] == "CLOSED"

    await take(march, "confirmStatement", merchant("B"), merchantId="B")
    await take(march, "recordPayment", ADMIN, request="b", reference="x", merchantId="B")

    assert (await period(march, MARCH))["state"] == "SETTLED"


async def test_a_draft_takes_no_step(books: Books) -> None:
    await a_march(books)

    told = await take(books, "confirmStatement", A)

    assert (told["code"], told["state"], told["disputableUntil"]) == (
        "STATEMENT_STATE",
        "DRAFT",
        None,
    )


@pytest.mark.parametrize("name", ["confirmStatement", "disputeStatement"])
async def test_only_the_merchant_itself_confirms_and_disputes(march: Books, name: str) -> None:
    given = {"reason": "?"} if name == "disputeStatement" else {}

    assert (await take(march, name, merchant("B"), **given))["code"] == "NOT_FOUND"
    for caller in (ADMIN, member("m1"), None):
        assert (await take(march, name, caller, **given))["code"] == "FORBIDDEN"


@pytest.mark.parametrize("name", ["resolveDispute", "recordPayment"])
async def test_only_an_admin_resolves_and_pays(march: Books, name: str) -> None:
    is_payment = name == "recordPayment"
    given = {"reference": "?"} if is_payment else {"adjustment": money(1), "reason": "?"}

    for caller in (A, member("m1"), None):
        assert (await take(march, name, caller, **given))["code"] == "FORBIDDEN"


async def test_what_is_out_of_bounds_is_told(march: Books) -> None:
    assert (await take(march, "disputeStatement", A, reason=" "))["code"] == "INVALID_INPUT"
    for amount in (money(0), money(10**13 + 1), money(-(10**13) - 1), money(1, "USD")):
        told = await take(march, "resolveDispute", ADMIN, adjustment=amount, reason="x")
        assert told["code"] == "INVALID_INPUT"
    told = await take(march, "recordPayment", ADMIN, reference="x" * 141)
    assert told["code"] == "INVALID_INPUT"
    assert (await take(march, "confirmStatement", A, month=MARCH - 9))["code"] == "NOT_FOUND"


async def test_many_steps_at_once_follow_each_other(march: Books) -> None:
    await take(march, "disputeStatement", A, reason="?")
    positions = await march.positions()

    answers = await asyncio.gather(
        *(
            take(march, "resolveDispute", ADMIN, request=f"r{number % 3}",
                 adjustment=money(10), reason="x")
            for number in range(9)
        )
    )  # fmt: skip

    assert (
        sorted(each.get("replayed", each.get("code")) is False for each in answers).count(True) == 1
    )
    assert (await march.positions())["A"] == positions["A"] + 10


async def test_steps_can_be_neither_changed_nor_deleted(march: Books) -> None:
    await take(march, "confirmStatement", A)

    for statement in ("DELETE FROM statement_step", "UPDATE statement_step SET state = 'PAID'"):
        with pytest.raises(Exception, match="for ever"):
            await march.rows_written(statement)


async def exported(books: Books, month: int) -> bytes:
    parts: list[bytes] = []
    await books.subgraph.export(month, ExportFormat.NDJSON, parts.append, merchant_id="A")
    await books.subgraph.export(month, ExportFormat.NDJSON, parts.append)
    return b"".join(parts)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("step", Step)
def test_who_is_refused_is_told_what_stands_against_it(state: State, step: Step) -> None:
    """At the last instant of the ten days, and at the one behind it."""
    closed_at = datetime(2026, 4, 2, tzinfo=UTC)
    refused = {}
    for is_over in (False, True):
        now = (
            closed_at
            + timedelta(days=10)
            - (timedelta(0) if is_over else timedelta(microseconds=1))
        )
        try:
            state_after(state, step, closed_at=closed_at, now=now)
        except StatementState as refusal:
            refused[is_over] = refusal

    for refusal in refused.values():
        assert refusal.message != "The statement stands where this can not be done."
        assert refusal.message == refusal_from_json(refusal.as_json()).message
    if refused.keys() == {False}:
        assert refused[False].retryable, "time alone mends it"
    if refused.keys() == {True} or state is State.PAID:
        assert not refused[True].retryable, "it was possible once, or never will be"


async def test_a_payment_that_came_too_early_is_told_so_and_may_be_repeated(march: Books) -> None:
    early = await take(march, "recordPayment", ADMIN, reference="x")
    march.clock.set(march.now + timedelta(days=10))
    paid = await take(march, "recordPayment", ADMIN, reference="x")

    assert early["retryable"]
    assert early["message"] == (
        "The statement can be paid once its merchant confirmed it, or after `disputableUntil`."
    )
    assert (state(paid), paid["replayed"]) == ("PAID", False)
