"""Settlement rules: two admins, a minute's notice, and points that stay funded."""

from datetime import timedelta

import apsw
import pytest

from kernel.callers import Caller, CallerKind
from kernel.database.sqlite_dialect import connect
from tests.ledger.book import MARCH, Books, merchant

ADA, BOB = Caller(CallerKind.ADMIN, "ada"), Caller(CallerKind.ADMIN, "bob")
PROPOSE = """
mutation ($input: ProposeSettlementRuleInput!) {
  proposeSettlementRule(input: $input) {
    __typename
    ... on SettlementRuleProposed {
      replayed
      rule { id version state effectiveFrom issuePrice redeemPrice breakageIssuerBps }
      warnings
    }
    ... on PoolUnderfundedRefusal { shortfall { amountMinor } }
    ... on InvalidInputRefusal { problems { field } }
    ... on Refusal { code retryable }
  }
}
"""
APPROVE = """
mutation ($input: ApproveSettlementRuleInput!) {
  approveSettlementRule(input: $input) {
    __typename
    ... on SettlementRuleApproved { replayed rule { version state } }
    ... on RuleStateRefusal { rule { version state } }
    ... on PoolUnderfundedRefusal { shortfall { amountMinor } }
    ... on InvalidInputRefusal { problems { field } }
    ... on NotFoundRefusal { id }
    ... on Refusal { code retryable }
  }
}
"""
RULES = "{ settlementRules { nodes { version state } } }"
SHOWN = """
{ settlementRules { nodes { version proposedBy approvedBy acceptsTopUp warnings } } }
"""


def wish(request_id: str = "p1", **changes: object) -> dict[str, object]:
    return {
        "requestId": request_id,
        "effectiveFrom": (MARCH + timedelta(hours=1)).isoformat(),
        "issuePrice": "1",
        "redeemPrice": "9/10",
        "issueFeeBps": 100,
        "redeemFeeBps": 300,
        "breakageIssuerBps": 2_500,
        **changes,
    }


async def propose(books: Books, request_id: str = "p1", **changes: object) -> dict:
    answer = await books.ask(PROPOSE, ADA, input=wish(request_id, **changes))
    assert answer.errors is None, answer.errors
    return answer.data["proposeSettlementRule"]


async def approve(books: Books, rule_id: str, caller: Caller = BOB, request_id: str = "a") -> dict:
    answer = await books.ask(APPROVE, caller, input={"requestId": request_id, "ruleId": rule_id})
    assert answer.errors is None, answer.errors
    return answer.data["approveSettlementRule"]


async def states(books: Books) -> list[tuple[int, str]]:
    answer = await books.ask(RULES)
    return [(each["version"], each["state"]) for each in answer.data["settlementRules"]["nodes"]]


async def in_force_from_now(books: Books, request_id: str, **changes: object) -> None:
    at = books.now + timedelta(minutes=2)
    proposed = await propose(books, request_id, effectiveFrom=at.isoformat(), **changes)
    approved = await approve(books, proposed["rule"]["id"], request_id=request_id)
    assert approved["__typename"] == "SettlementRuleApproved"
    books.clock.set(at)


async def test_an_approver_sees_who_proposed_a_rule_and_what_to_know_of_it_now(
    books: Books,
) -> None:
    async def shown() -> list[dict]:
        return (await books.ask(SHOWN)).data["settlementRules"]["nodes"]

    await books.order("o1", "A", "m1", earned=100, at=MARCH)
    at = books.now + timedelta(minutes=2)
    first = await propose(
        books,
        "p1",
        issuePrice="1",
        redeemPrice="3/2",
        acceptTopUp=True,
        effectiveFrom=at.isoformat(),
    )

    draft, initial = await shown()
    assert draft["warnings"] == first["warnings"]
    assert draft["warnings"][0].startswith("Live points lack 50 minor units of funding")
    assert (draft["proposedBy"], draft["approvedBy"]) == ("ada", None)
    assert draft["acceptsTopUp"]
    assert initial == {
        "version": 1, "proposedBy": None, "approvedBy": None, "acceptsTopUp": False, "warnings": []
    }  # fmt: skip

    await books.order("o2", "A", "m1", earned=100, at=MARCH)
    second = await propose(books, "p2", issuePrice="1", redeemPrice="1")
    assert second["warnings"] == []
    await approve(books, first["rule"]["id"])

    later, approved, _ = await shown()
    assert later["warnings"] == [
        "Version 2 is approved and not in force yet; the later to take effect stays."
    ]
    assert (approved["approvedBy"], approved["warnings"]) == ("bob", [])


async def test_a_rule_is_proposed_approved_by_another_and_takes_effect(books: Books) -> None:
    proposed = await propose(books)

    assert proposed["rule"]["version"] == 2
    assert proposed["rule"]["state"] == "DRAFT"
    assert proposed["rule"]["redeemPrice"] == "9/10"
    assert proposed["warnings"] == [
        "redeemPrice is below issuePrice: the alliance keeps the difference of every new point."
    ]
    approved = await approve(books, proposed["rule"]["id"])
    assert approved == {
        "__typename": "SettlementRuleApproved",
        "replayed": False,
        "rule": {"version": 2, "state": "APPROVED"},
    }
    assert await states(books) == [(2, "APPROVED"), (1, "ACTIVE")]
    books.clock.set(MARCH + timedelta(hours=1))
    assert await states(books) == [(2, "ACTIVE"), (1, "SUPERSEDED")]


async def test_an_event_settles_by_the_rule_in_force_when_it_took_place(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=1_000, expires_in=timedelta(days=2))
    proposed = await propose(books)
    await approve(books, proposed["rule"]["id"])
    books.clock.set(MARCH + timedelta(hours=2))

    await books.order("o2", "B", "m1", spent=100)
    await books.order("late", "C", "m1", spent=100, at=MARCH)
    await books.order("o3", "A", "m2", earned=1_000)
    books.clock.set(MARCH + timedelta(days=2))
    await books.sweep()

    positions = await books.positions()
    assert positions["B"] == 90 - 3
    assert positions["C"] == 100 - 2
    assert positions["A"] == -(1_000 + 50) - (1_000 + 10) + 200
    assert positions["POOL"] == await books.pool_backing() == 1_000
    versions = "SELECT account, kind, rule_version FROM entry WHERE account IN ('B', 'C')"
    assert set(await books.rows(versions)) == {
        ("B", "BURN", 2), ("B", "REDEEM_FEE", 2), ("C", "BURN", 1), ("C", "REDEEM_FEE", 1),
    }  # fmt: skip
    assert (await books.verify()).is_sound


async def test_a_rule_is_not_approved_by_who_proposed_it(books: Books) -> None:
    proposed = await propose(books)

    refused = await approve(books, proposed["rule"]["id"], ADA)

    assert (refused["code"], refused["retryable"]) == ("SELF_APPROVAL", False)
    assert await states(books) == [(2, "DRAFT"), (1, "ACTIVE")]


async def test_a_rule_is_approved_once(books: Books) -> None:
    rule_id = (await propose(books))["rule"]["id"]
    await approve(books, rule_id, request_id="a1")

    refused = await approve(books, rule_id, request_id="a2")

    assert refused["__typename"] == "RuleStateRefusal"
    assert refused["code"] == "RULE_STATE"
    assert refused["rule"] == {"version": 2, "state": "APPROVED"}
    assert (await approve(books, rule_id, request_id="a1"))["replayed"]


async def test_a_rule_is_approved_a_minute_before_it_takes_effect(books: Books) -> None:
    rule_id = (await propose(books))["rule"]["id"]

    books.clock.set(MARCH + timedelta(hours=1, seconds=-59))
    refused = await approve(books, rule_id, request_id="a1")
    books.clock.set(MARCH + timedelta(hours=1, seconds=-60))
    approved = await approve(books, rule_id, request_id="a2")

    assert refused["problems"] == [{"field": "ruleId"}]
    assert approved["__typename"] == "SettlementRuleApproved"


async def test_an_unknown_rule_is_not_found(books: Books) -> None:
    refused = await approve(books, "rule_nothing")

    assert (refused["__typename"], refused["id"]) == ("NotFoundRefusal", "rule_nothing")


@pytest.mark.parametrize("expired", [False, True])
async def test_a_redeem_price_above_the_funding_of_live_points_needs_a_top_up(
    books: Books, expired: bool
) -> None:
    await books.order("o1", "A", "m1", earned=1_000, expires_in=timedelta(minutes=5))
    await books.order("o2", "B", "m1", spent=200)
    if expired:
        books.clock.set(MARCH + timedelta(minutes=5))
        assert (await propose(books, redeemPrice="3/2"))["__typename"] == "SettlementRuleProposed"
        return

    refused = await propose(books, redeemPrice="3/2")
    accepted = await propose(books, "p2", redeemPrice="3/2", acceptTopUp=True)

    assert refused["code"] == "POOL_UNDERFUNDED"
    assert refused["shortfall"] == {"amountMinor": 400}
    assert accepted["warnings"] == [
        "Live points lack 400 minor units of funding; the alliance pays them as the points are "
        "redeemed.",
        "redeemPrice is above issuePrice: the alliance pays the difference for every new point.",
    ]
    approved = await approve(books, accepted["rule"]["id"])
    assert approved["__typename"] == "SettlementRuleApproved"


async def test_funding_is_looked_at_again_when_a_rule_is_approved(books: Books) -> None:
    proposed = await propose(books, redeemPrice="3/2")
    await books.order("o1", "A", "m1", earned=1_000)

    refused = await approve(books, proposed["rule"]["id"])

    assert refused["__typename"] == "PoolUnderfundedRefusal"
    assert refused["shortfall"] == {"amountMinor": 500}


async def test_a_redeem_price_equal_to_every_issue_price_is_never_underfunded(
    books: Books,
) -> None:
    await in_force_from_now(books, "p1", issuePrice="7/10", redeemPrice="7/10")
    for count in range(1, 40):
        await books.order(f"o{count}", "A", "m1", earned=count)
        await books.order(f"s{count}", "B", "m1", spent=count // 2 + 1)

    again = await propose(books, "p2", effectiveFrom=(books.now + timedelta(hours=1)).isoformat(),
                          issuePrice="7/10", redeemPrice="7/10")  # fmt: skip

    assert again["__typename"] == "SettlementRuleProposed"
    assert again["warnings"] == []


async def test_of_two_approved_rules_the_later_to_take_effect_stays(books: Books) -> None:
    late = (MARCH + timedelta(hours=3)).isoformat()
    first = await propose(books, "p1", effectiveFrom=late)
    await approve(books, first["rule"]["id"], request_id="a1")
    second = await propose(books, "p2")
    await approve(books, second["rule"]["id"], request_id="a2")

    assert "Version 2 is approved and not in force yet" in second["warnings"][1]
    books.clock.set(MARCH + timedelta(hours=2))
    assert await states(books) == [(3, "ACTIVE"), (2, "APPROVED"), (1, "SUPERSEDED")]
    books.clock.set(MARCH + timedelta(hours=4))
    assert await states(books) == [(3, "SUPERSEDED"), (2, "ACTIVE"), (1, "SUPERSEDED")]


async def test_a_draft_that_a_later_version_overtook_is_not_approved(books: Books) -> None:
    """What its proposer simulated compares it with rules that are not in force any more."""
    stale = await propose(
        books, "p1", effectiveFrom=(MARCH + timedelta(days=200)).isoformat(), issueFeeBps=7
    )
    newer = await propose(books, "p2")
    await approve(books, newer["rule"]["id"], request_id="a1")
    books.clock.set(MARCH + timedelta(days=190))

    refused = await approve(books, stale["rule"]["id"], request_id="a2")

    assert refused["__typename"] == "InvalidInputRefusal"
    assert refused["problems"] == [{"field": "ruleId"}]
    assert await states(books) == [(3, "ACTIVE"), (2, "DRAFT"), (1, "SUPERSEDED")]


async def test_a_repeated_proposal_is_the_same_rule(books: Books) -> None:
    first = await propose(books)
    again = await propose(books)

    assert again == {**first, "replayed": True}
    assert (await propose(books, issueFeeBps=7))["code"] == "REQUEST_ID_REUSED"


async def test_a_proposal_out_of_range_is_told_every_fault(books: Books) -> None:
    refused = await propose(
        books,
        effectiveFrom=(MARCH + timedelta(seconds=59)).isoformat(),
        issuePrice="0",
        redeemPrice="1000001",
        issueFeeBps=10_001,
        redeemFeeBps=-1,
        breakageIssuerBps=10_001,
    )

    assert [problem["field"] for problem in refused["problems"]] == [
        "effectiveFrom", "issuePrice", "redeemPrice", "issueFeeBps", "redeemFeeBps",
        "breakageIssuerBps",
    ]  # fmt: skip


async def test_only_admins_propose_and_approve(books: Books) -> None:
    for document, input in ((PROPOSE, wish()), (APPROVE, {"requestId": "a", "ruleId": "r"})):
        answer = await books.ask(document, merchant("A"), input=input)
        assert answer.errors[0].extensions["code"] == "FORBIDDEN"


@pytest.mark.sqlite
async def test_the_database_keeps_approved_rules_as_they_are(books: Books) -> None:
    connection = connect(books.path)
    try:
        for statement in (
            "UPDATE settlement_rule SET redeem_fee_bps = 0 WHERE version = 1",
            "DELETE FROM settlement_rule",
        ):
            with pytest.raises(apsw.ConstraintError, match="for ever"):
                connection.execute(statement)
    finally:
        connection.close()


async def test_a_lot_keeps_its_funding_whatever_rule_follows(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=1_000)
    await in_force_from_now(books, "p1", issuePrice="1/3", redeemPrice="1/3")
    await books.order("o2", "A", "m1", earned=1_000)

    await books.order("o3", "B", "m1", spent=1_500)

    assert await books.pool_backing() == 333 - 166
    assert (await books.positions())["POOL"] == 333 - 166
    assert (await books.verify()).is_sound
