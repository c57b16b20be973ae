"""What clients see of a card, and who may see it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.pages import encode_cursor
from tests.ledger.book import ADMIN, Books, member, merchant

CARD = """
query ($cards: [_Any!]!, $days: Int! = 30) {
  _entities(representations: $cards) {
    ... on Card {
      id
      points { available held pending debt expiring(withinDays: $days) { on points } }
      coins { available { amountMinor currency } held { amountMinor } }
    }
  }
}
"""
HISTORY = """
query ($cards: [_Any!]!, $first: Int! = 100, $after: String) {
  _entities(representations: $cards) {
    ... on Card {
      entries(first: $first, after: $after) {
        edges {
          cursor
          node {
            id at kind points coins { amountMinor } merchant { id } orderNo
            balanceAfter { points coins { amountMinor } }
          }
        }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
STATEMENTS = """
query ($merchants: [_Any!]!) {
  _entities(representations: $merchants) {
    ... on Merchant {
      statements(first: 10) {
        nodes { id net { amountMinor } period { id from to state alliance { amountMinor } } }
      }
    }
  }
}
"""
STATEMENT = """
query ($merchants: [_Any!]!, $periodId: ID!) {
  _entities(representations: $merchants) {
    ... on Merchant {
      statement(periodId: $periodId) {
        id merchant { id } period { id state } net { amountMinor } lines { kind count }
      }
    }
  }
}
"""


def refs(typename: str, *ids: str) -> list[dict[str, str]]:
    return [{"__typename": typename, "id": each} for each in ids]


async def some_history(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.grant("g1", "m1", 300)
    await books.hold("t1", "m1", 450, coins=100)
    await books.order("o2", "B", "m1", spent=450, coins=100, earned=20, attempt="t1")
    await books.refund("o1", "r1", kept=300)
    await books.order("o3", "C", "m1", earned=150)
    await books.refund("o2", "r2", kept=10, points=45, coins=40)


async def test_a_card_shows_its_points_and_coins(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.order("o2", "A", "m1", earned=30, active_in=timedelta(days=7))
    await books.grant("g1", "m1", 300)
    await books.hold("t1", "m1", 20, coins=100)

    answer = await books.ask(CARD, member("m1"), cards=refs("Card", "m1"))

    assert answer.errors is None
    assert answer.data["_entities"] == [
        {
            "id": "m1",
            "points": {
                "available": 480, "held": 20, "pending": 30, "debt": 0, "expiring": [],
            },
            "coins": {
                "available": {"amountMinor": 200, "currency": "CNY"},
                "held": {"amountMinor": 100},
            },
        }
    ]  # fmt: skip


async def test_points_expire_on_the_last_day_on_which_they_can_be_spent(books: Books) -> None:
    midnight = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)  # 1 April in Shanghai
    for order_id, expires_at in [
        ("o1", midnight),
        ("o2", midnight - timedelta(hours=3)),
        ("o3", midnight + timedelta(microseconds=1)),
        ("o4", midnight + timedelta(days=60)),
    ]:
        await books.order(order_id, "A", "m1", earned=10, expires_in=expires_at - books.now)

    async def expiring(days: int) -> list[dict]:
        answer = await books.ask(CARD, member("m1"), cards=refs("Card", "m1"), days=days)
        return answer.data["_entities"][0]["points"]["expiring"]

    assert await expiring(20) == []
    assert await expiring(21) == [{"on": "2026-03-31", "points": 20}]
    assert await expiring(22) == [
        {"on": "2026-03-31", "points": 20},
        {"on": "2026-04-01", "points": 10},
    ]
    too_far = await books.ask(CARD, member("m1"), cards=refs("Card", "m1"), days=100_000)
    assert too_far.errors[0].extensions["code"] == "BAD_USER_INPUT"


async def test_every_booking_of_a_history_leads_from_one_balance_to_the_next(
    books: Books,
) -> None:
    await some_history(books)

    answer = await books.ask(HISTORY, member("m1"), cards=refs("Card", "m1"))

    assert answer.errors is None
    nodes = [edge["node"] for edge in answer.data["_entities"][0]["entries"]["edges"]]
    assert [node["kind"] for node in reversed(nodes)] == [
        "EARN", "GRANT", "BURN", "COINS_SPENT", "EARN", "CLAW_BACK", "EARN", "DEBT_REPAYMENT",
        "RETURN", "COINS_RETURNED", "CLAW_BACK",
    ]  # fmt: skip
    points = coins = 0
    for node in reversed(nodes):
        points += node["points"]
        coins += node["coins"]["amountMinor"]
        assert node["balanceAfter"] == {"points": points, "coins": {"amountMinor": coins}}
    standing = await books.standing("m1")
    assert points == standing.available - standing.debt
    assert coins == standing.coins_available == 240
    burn = next(node for node in nodes if node["kind"] == "BURN")
    assert (burn["points"], burn["merchant"], burn["orderNo"]) == (-450, {"id": "B"}, "no-o2")
    grant = next(node for node in nodes if node["kind"] == "GRANT")
    assert (grant["merchant"], grant["orderNo"]) == (None, None)
    assert len({node["id"] for node in nodes}) == len(nodes)


async def test_a_history_is_paged_by_key_and_pages_fit_together(books: Books) -> None:
    await some_history(books)
    whole = await books.ask(HISTORY, member("m1"), cards=refs("Card", "m1"))
    expected = [edge["node"] for edge in whole.data["_entities"][0]["entries"]["edges"]]

    seen, after = [], None
    while True:
        answer = await books.ask(
            HISTORY, member("m1"), cards=refs("Card", "m1"), first=4, after=after
        )
        page = answer.data["_entities"][0]["entries"]
        seen += [edge["node"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == expected
    for cursor in (
        "nonsense",
        encode_cursor([1]),
        encode_cursor(["1", 2]),
        encode_cursor([2**63, 0]),
    ):
        broken = await books.ask(HISTORY, member("m1"), cards=refs("Card", "m1"), after=cursor)
        assert broken.errors[0].extensions["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("caller", "sees_standing", "sees_history"),
    [
        (member("m1"), True, True),
        (member("m2"), False, False),
        (merchant("A"), True, False),
        (ADMIN, True, True),
        (None, False, False),
    ],
)
async def test_who_may_see_a_card(
    books: Books, caller: Caller | None, sees_standing: bool, sees_history: bool
) -> None:
    await some_history(books)

    [card] = (await books.ask(CARD, caller, cards=refs("Card", "m1"))).data["_entities"]
    history = await books.ask(HISTORY, caller, cards=refs("Card", "m1"))

    assert (card["points"] is not None, card["coins"] is not None) == (sees_standing,) * 2
    assert (history.data["_entities"][0]["entries"] is not None) == sees_history
    codes = {error.extensions["code"] for error in history.errors or []}
    assert codes == (set() if sees_history else {"FORBIDDEN"})


@pytest.mark.parametrize(
    ("caller", "may_see"),
    [(merchant("A"), True), (merchant("B"), False), (member("m1"), False), (ADMIN, True)],
)
async def test_a_statement_is_for_its_merchant_and_admins(
    books: Books, caller: Caller, may_see: bool
) -> None:
    from tests.ledger.clearing.test_periods import MARCH, period_id

    await some_history(books)

    answer = await books.ask(
        STATEMENT, caller, merchants=refs("Merchant", "A"), periodId=period_id(MARCH)
    )

    statement = answer.data["_entities"][0]["statement"]
    assert (statement is not None) == may_see
    if may_see:
        assert statement["net"]["amountMinor"] == (await books.positions())["A"]
        assert statement["period"] == {"id": period_id(MARCH), "state": "OPEN"}


async def test_a_merchant_does_not_see_the_alliances_net_through_its_statement(
    books: Books,
) -> None:
    await some_history(books)

    answer = await books.ask(STATEMENTS, merchant("A"), merchants=refs("Merchant", "A"))

    assert {error.extensions["code"] for error in answer.errors} == {"FORBIDDEN"}
    assert answer.data["_entities"][0]["statements"] is None


async def test_a_merchants_statements_come_newest_first(books: Books) -> None:
    from tests.ledger.clearing.test_periods import APRIL, MARCH, period_id

    await some_history(books)
    books.clock.set(datetime(2026, 4, 20, tzinfo=UTC))
    await books.order("o9", "A", "m1", earned=100)

    answer = await books.ask(STATEMENTS, ADMIN, merchants=refs("Merchant", "A"))

    nodes = answer.data["_entities"][0]["statements"]["nodes"]
    assert [node["period"]["id"] for node in nodes] == [period_id(APRIL), period_id(MARCH)]
    assert nodes[0]["net"]["amountMinor"] == -105
    none = await books.ask(
        STATEMENT, ADMIN, merchants=refs("Merchant", "Z"), periodId=period_id(MARCH)
    )
    assert none.data["_entities"][0]["statement"] is None


@pytest.mark.parametrize("caller", [merchant("A"), member("m1"), None])
@pytest.mark.parametrize(
    "document",
    [
        "{ clearingPeriods { nodes { id } } }",
        "{ settlementRules { nodes { id } } }",
        '{ clearingPeriod(id: "x") { id } }',
        'mutation { closePeriod(input: {requestId: "r", periodId: "x"}) { __typename } }',
    ],
)
async def test_periods_and_rules_are_for_admins(
    books: Books, caller: Caller | None, document: str
) -> None:
    answer = await books.ask(document, caller)

    assert [error.extensions["code"] for error in answer.errors] == ["FORBIDDEN"]
    assert list(answer.data.values()) == [None]


async def test_the_first_rule_is_in_force_from_the_beginning(books: Books) -> None:
    answer = await books.ask(
        """{ settlementRules(first: 20) { nodes { id version state effectiveFrom issuePrice
             redeemPrice issueFeeBps redeemFeeBps breakageIssuerBps } } }"""
    )

    [rule] = answer.data["settlementRules"]["nodes"]
    assert rule.pop("id").startswith("rule_")
    assert rule == {
        "version": 1, "state": "ACTIVE", "effectiveFrom": "1970-01-01T00:00:00Z",
        "issuePrice": "1", "redeemPrice": "1", "issueFeeBps": 500, "redeemFeeBps": 200,
        "breakageIssuerBps": 5_000,
    }  # fmt: skip


async def test_all_cards_of_a_request_are_read_at_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        await books.order(f"o{n}", "A", f"m{n}", earned=10 + n)
    statements: list[object] = []
    run = Connection.execute

    def counting(self: Connection, statement: object, *values: object) -> object:
        statements.append(statement)
        return run(self, statement, *values)

    monkeypatch.setattr(Connection, "execute", counting)
    answer = await books.ask(CARD, ADMIN, cards=refs("Card", *(f"m{n}" for n in range(20))))

    available = [card["points"]["available"] for card in answer.data["_entities"]]
    assert available == list(range(10, 30))
    assert len(statements) == 3
