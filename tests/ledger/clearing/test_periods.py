"""Clearing periods prove themselves, close once, and never change again."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from ledger.rules.periods import period_id
from tests.ledger.book import Books

MARCH, APRIL = 2026 * 12 + 2, 2026 * 12 + 3
APRIL_2 = datetime(2026, 4, 2, 0, 0, tzinfo=UTC)

CLOSE = """
mutation ($input: ClosePeriodInput!) {
  closePeriod(input: $input) {
    __typename
    ... on PeriodClosed { replayed period { id state journalHash zeroSum } }
    ... on PeriodNotClosableRefusal { closableFrom }
    ... on Refusal { code message retryable }
  }
}
"""
PERIOD = """
query ($id: ID!) {
  clearingPeriod(id: $id) {
    id state from to zeroSum journalHash
    alliance { amountMinor }
    pool { opening { amountMinor } closing { amountMinor } backing { amountMinor } balanced }
    statements(first: 100) {
      nodes {
        id state merchant { id } net { amountMinor }
        lines { kind points amount { amountMinor } count }
        entries(first: 100) {
          nodes { id at kind points amount { amountMinor } orderNo originPeriod ruleVersion }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def close(books: Books, month: int, request_id: str = "close") -> dict:
    answer = await books.ask(CLOSE, input={"requestId": request_id, "periodId": period_id(month)})
    assert answer.errors is None, answer.errors
    return answer.data["closePeriod"]


async def period(books: Books, month: int) -> dict:
    answer = await books.ask(PERIOD, id=period_id(month))
    assert answer.errors is None, answer.errors
    return answer.data["clearingPeriod"]


def nets(shown: dict) -> dict[str, int]:
    return {
        each["merchant"]["id"]: each["net"]["amountMinor"] for each in shown["statements"]["nodes"]
    }


async def a_march(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.order("o2", "B", "m1", spent=200, earned=10)
    await books.refund("o1", "r1", kept=400)


async def test_a_period_proves_itself_and_its_statements_lead_to_every_event(
    books: Books,
) -> None:
    await a_march(books)

    shown = await period(books, MARCH)

    assert shown["state"] == "OPEN"
    assert shown["journalHash"] is None
    assert (shown["from"], shown["to"]) == ("2026-02-28T16:00:00Z", "2026-03-31T16:00:00Z")
    assert shown["zeroSum"]
    assert nets(shown) == {"A": -525 + 105, "B": 196 - 11}
    pool = {name: pool["amountMinor"] for name, pool in shown["pool"].items() if name != "balanced"}
    assert pool == {"opening": 0, "closing": 210, "backing": 210}
    assert shown["pool"]["balanced"]
    assert sum(nets(shown).values()) + shown["alliance"]["amountMinor"] + 210 == 0
    for statement in shown["statements"]["nodes"]:
        entries = statement["entries"]["nodes"]
        assert (
            sum(each["amount"]["amountMinor"] for each in entries)
            == (statement["net"]["amountMinor"])
        )
        assert sum(line["count"] for line in statement["lines"]) == len(entries)
    first = shown["statements"]["nodes"][0]
    assert [(line["kind"], line["points"]) for line in first["lines"]] == [
        ("ISSUE", -500),
        ("ISSUE_FEE", 0),
        ("CLAW_BACK", 100),
    ]


async def test_a_period_closes_a_day_after_its_end_and_only_once(books: Books) -> None:
    await a_march(books)
    books.clock.set(datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC))
    early = await close(books, MARCH)
    assert early["code"] == "PERIOD_NOT_CLOSABLE"
    assert early["closableFrom"] == "2026-04-01T16:00:00Z"
    assert early["message"] == "The period cannot be closed yet."
    assert early["retryable"]

    books.clock.set(datetime(2026, 4, 1, 16, 0, tzinfo=UTC))
    closed = await close(books, MARCH)
    assert closed["__typename"] == "PeriodClosed"
    assert not closed["replayed"]
    assert closed["period"]["state"] == "CLOSED"
    assert len(closed["period"]["journalHash"]) == 64

    repeated = await close(books, MARCH)
    assert repeated == {**closed, "replayed": True}
    again = await close(books, MARCH, "another")
    assert again["code"] == "PERIOD_NOT_CLOSABLE"
    assert again["closableFrom"] is None
    assert again["message"] == "The period is closed already."
    assert not again["retryable"]
    assert await close(books, MARCH, "another") == again
    shown = await period(books, MARCH)
    assert {each["state"] for each in shown["statements"]["nodes"]} == {"ISSUED"}
    assert (await books.verify()).findings == ()


async def test_a_request_id_closes_one_period_alone(books: Books) -> None:
    await a_march(books)
    books.clock.set(APRIL_2)
    await close(books, MARCH, "x")

    assert (await close(books, APRIL, "x"))["code"] == "REQUEST_ID_REUSED"
    unknown = await close(books, MARCH - 1, "y")
    assert (unknown["code"], unknown["retryable"]) == ("NOT_FOUND", True)
    assert (await close(books, MARCH, ""))["code"] == "INVALID_INPUT"


async def test_a_late_refund_is_posted_in_the_open_period_and_names_its_origin(
    books: Books,
) -> None:
    await a_march(books)
    late = books.now + timedelta(hours=1)
    books.clock.set(APRIL_2)
    await close(books, MARCH)
    march_before = await period(books, MARCH)

    await books.refund("o1", "r2", kept=0, at=late)

    assert await period(books, MARCH) == march_before
    april = await period(books, APRIL)
    assert nets(april) == {"A": 210 + 11}
    [entry] = april["statements"]["nodes"][0]["entries"]["nodes"]
    assert entry["originPeriod"] == period_id(MARCH)
    assert entry["at"] == "2026-03-10T05:00:00Z"
    assert april["pool"]["opening"]["amountMinor"] == 210
    assert april["pool"]["balanced"]
    assert (await books.verify()).findings == ()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO entry SELECT lane, seq, 99, account, asset, kind, amount, points, month, "
        "rule_version, order_no FROM entry LIMIT 1",
        "UPDATE entry SET amount = amount + 1",
        "DELETE FROM entry",
        "UPDATE lot_move SET amount = amount + 1",
        "DELETE FROM ledger_tx",
        "UPDATE card_entry SET points = 0",
        "UPDATE position SET amount = amount + 1",
        "UPDATE position SET month = month + 1",
        "DELETE FROM position",
        pytest.param("TRUNCATE entry", marks=pytest.mark.postgresql),
        "UPDATE period SET journal_hash = 'x'",
        "DELETE FROM period",
    ],
)
async def test_the_rows_of_a_closed_period_can_not_be_written(books: Books, statement: str) -> None:
    await a_march(books)
    books.clock.set(APRIL_2)
    await close(books, MARCH)

    with pytest.raises(IntegrityError):
        await books.rows_written(statement)


async def test_an_older_period_with_entries_is_closed_first(books: Books) -> None:
    await a_march(books)
    books.clock.set(datetime(2026, 5, 20, tzinfo=UTC))
    await books.order("o9", "A", "m1", earned=7, at=APRIL_2)

    barred = await close(books, APRIL, "a")
    assert barred["code"] == "PERIOD_NOT_CLOSABLE"
    assert barred["message"] == "An older period has to be closed first."
    assert barred["retryable"]
    assert (await close(books, MARCH, "b"))["__typename"] == "PeriodClosed"
    assert (await close(books, APRIL, "a"))["__typename"] == "PeriodClosed"


async def test_periods_are_listed_from_the_first_entry_to_now_newest_first(books: Books) -> None:
    await a_march(books)
    books.clock.set(datetime(2026, 7, 20, tzinfo=UTC))
    listing = """query ($after: String) {
      clearingPeriods(first: 3, after: $after) {
        nodes { id state zeroSum } pageInfo { hasNextPage endCursor }
      }
    }"""

    first = (await books.ask(listing)).data["clearingPeriods"]
    after = first["pageInfo"]["endCursor"]
    second = (await books.ask(listing, after=after)).data["clearingPeriods"]

    ids = [node["id"] for page in (first, second) for node in page["nodes"]]
    assert ids == [period_id(month) for month in range(APRIL + 3, MARCH - 1, -1)]
    assert first["pageInfo"]["hasNextPage"]
    assert not second["pageInfo"]["hasNextPage"]
