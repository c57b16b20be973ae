"""A simulation tells to the minor unit what other terms would have settled."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from kernel.units import Ratio
from ledger.contract import MergeCards, MergeSpent, UnmergeCards
from ledger.rules.state import RuleTerms
from ledger.stores.lanes import lane_of
from tests.ledger.book import MARCH, YEAR, Books, merchant
from tests.ledger.test_histories import History
from tests.places import Places

SIMULATE = """
query ($draft: SettlementTermsInput!, $from: DateTime!, $to: DateTime!) {
  simulateSettlementRule(draft: $draft, from: $from, to: $to) {
    merchants {
      merchant { id }
      actual { amountMinor }
      simulated { amountMinor }
      difference { amountMinor }
    }
    allianceDifference { amountMinor }
    poolDifference { amountMinor }
  }
}
"""
CHANCES = (2, 7, 11)
DEFAULT = RuleTerms()
OTHERS = [
    RuleTerms(Ratio(7, 3), Ratio(5, 4), 777, 1_234, 3_333),
    RuleTerms(Ratio(1, 7), Ratio(1, 2), 0, 10_000, 10_000),
    RuleTerms(Ratio(99, 100), Ratio(101, 100), 2_500, 0, 0),
]


def draft(terms: RuleTerms) -> dict[str, object]:
    return {
        "issuePrice": str(terms.issue_price),
        "redeemPrice": str(terms.redeem_price),
        "issueFeeBps": terms.issue_fee_bps,
        "redeemFeeBps": terms.redeem_fee_bps,
        "breakageIssuerBps": terms.breakage_issuer_bps,
    }


async def simulate(books: Books, terms: RuleTerms, *, since=MARCH - YEAR, until=MARCH + 9 * YEAR):
    answer = await books.ask(
        SIMULATE, draft=draft(terms), **{"from": since.isoformat(), "to": until.isoformat()}
    )
    assert answer.errors is None, answer.errors
    return answer.data["simulateSettlementRule"]


def differences(simulated: dict) -> dict[str, int]:
    found = {
        each["merchant"]["id"]: each["difference"]["amountMinor"] for each in simulated["merchants"]
    }
    found["ALLIANCE"] = simulated["allianceDifference"]["amountMinor"]
    found["POOL"] = simulated["poolDifference"]["amountMinor"]
    return found


async def lived(path: Path, chance: int, rule: RuleTerms) -> Books:
    books = await Books.open(path, rule)
    history = History(books, Random(chance), one_rule=True)
    for _ in range(60):
        await history.happen()
    return books


@pytest.mark.parametrize("chance", range(2))
async def test_a_history_simulated_at_other_terms_is_the_history_lived_at_them(
    tmp_path: Path, chance: int
) -> None:
    for number, (lived_at, other) in enumerate([(DEFAULT, OTHERS[0]), (OTHERS[1], OTHERS[2])]):
        here = await lived(tmp_path / f"here{number}", chance, lived_at)
        there = await lived(tmp_path / f"there{number}", chance, other)
        try:
            found = differences(await simulate(here, other))
            before, after = await here.positions(), await there.positions()

            assert found == {
                party: after.get(party, 0) - before.get(party, 0)
                for party in {"ALLIANCE", "POOL", *found}
            }
            assert any(found.values())
            same = differences(await simulate(here, lived_at))
            assert set(same.values()) == {0}
        finally:
            await here.close()
            await there.close()


async def test_lots_of_before_keep_their_funding_and_orders_their_prices(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.order("o2", "B", "m1", spent=40)
    books.clock.set(MARCH + timedelta(days=1))
    await books.order("o3", "C", "m1", spent=50)
    await books.refund("o2", "r1", kept=0, points=40)
    await books.refund("o1", "r1", kept=90)

    simulated = await simulate(books, RuleTerms(Ratio(2, 1), Ratio(1, 2), 0, 0, 0), since=books.now)

    assert differences(simulated) == {"A": 0, "B": 0, "C": 25 - 49, "ALLIANCE": 24, "POOL": 0}


async def test_only_events_that_took_effect_in_the_time_count(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    books.clock.set(MARCH + timedelta(days=1))
    await books.order("o2", "A", "m1", earned=100)
    await books.order("late", "A", "m1", earned=100, at=MARCH)

    simulated = await simulate(books, RuleTerms(Ratio(2, 1), Ratio(2, 1), 0, 0, 0), since=books.now)

    assert simulated["merchants"][0]["actual"] == {"amountMinor": -105}
    assert simulated["merchants"][0]["simulated"] == {"amountMinor": -200}
    none = await simulate(books, DEFAULT, since=MARCH - YEAR, until=MARCH)
    assert none["merchants"] == []


async def test_a_simulation_writes_nothing_and_is_for_admins(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    before = await books.rows("SELECT * FROM position"), await books.rows("SELECT * FROM lot")

    await simulate(books, OTHERS[0])

    after = await books.rows("SELECT * FROM position"), await books.rows("SELECT * FROM lot")
    assert after == before
    variables = {"draft": draft(DEFAULT), "from": MARCH.isoformat(), "to": MARCH.isoformat()}
    refused = await books.ask(SIMULATE, merchant("A"), **variables)
    assert refused.errors[0].extensions["code"] == "FORBIDDEN"
    pointless = await books.ask(SIMULATE, **variables)
    assert pointless.errors[0].extensions["code"] == "BAD_USER_INPUT"
    assert pointless.errors[0].message == "from must be before to."


class Indebted(History):
    """Refunds more than others do, and lets nothing expire."""

    async def happen(self) -> None:
        event = self.chance.choice(
            [self.earn, self.spend, self.spend, self.refund, self.refund, self.refund,
             self.release, self.grant, self.hold]
        )  # fmt: skip
        self.count += 1
        await event()


async def lived_with_merges(path: Path, chance: int, rule: RuleTerms, lanes: int) -> Books:
    """m2 becomes m1 after some of it, often for a while only, and m1 becomes m2 later on.

    Chance 7 over 5 lanes has what was fetched from a lane come back with another funding.
    """
    books = await Books.open(path, rule, lanes=lanes)
    history = (Indebted if chance > 9 else History)(books, Random(chance), one_rule=True)
    is_undone = False
    for number in range(40):
        at = books.now
        if number == 14:
            await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", at))
        if number == 15 + chance % 3:
            with suppress(MergeSpent):
                await books.ledger.unmerge_cards(UnmergeCards("mrg", "m1", "m2", at))
                is_undone = True
        if number == 32 and is_undone:
            await books.ledger.merge_cards(MergeCards("mrg again", "m2", "m1", at))
        await history.happen()
    return books


@pytest.mark.parametrize("chance", CHANCES)
@pytest.mark.parametrize("over", [1, 3, 5])
async def test_a_history_with_merges_settled_again_at_its_own_terms_is_the_same(
    tmp_path: Path, chance: int, over: int
) -> None:
    terms = OTHERS[chance % len(OTHERS)]
    books = await lived_with_merges(tmp_path / "ledger.sqlite", chance, terms, over)
    try:
        assert (await books.verify()).findings == ()
        found = differences(await simulate(books, terms))
    finally:
        await books.close()

    assert set(found.values()) == {0}, found


@pytest.mark.parametrize("over", [1, 5])
async def test_a_debt_that_the_survivor_repays_at_once_is_settled_again(
    places: Places, over: int
) -> None:
    books = await Books.open(places.address("ledger"), OTHERS[0], lanes=over)
    await books.order("o1", "A", "m2", earned=10)
    await books.order("o2", "B", "m2", spent=10)
    await books.refund("o1", "r1", kept=7)
    await books.order("o3", "C", "m1", earned=50)
    await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now))
    assert (await books.standing("m1")).available == 47

    found = differences(await simulate(books, OTHERS[0]))
    await books.close()

    assert set(found.values()) == {0}, found


@pytest.mark.parametrize("repaid", [0, 1])
@pytest.mark.parametrize("is_undone", [False, True])
async def test_the_fee_of_a_debt_that_changed_lanes_is_given_back_as_it_was(
    places: Places, is_undone: bool, repaid: int
) -> None:
    """A fee of 5 for 10 points comes back in two parts, of which each is half an odd unit."""
    terms = RuleTerms(issue_fee_bps=5_000)
    books = await Books.open(places.address("ledger"), terms, lanes=5)
    assert lane_of("m1", 5) != lane_of("m2", 5)
    await books.order("o1", "A", "m2", earned=10)
    await books.order("o2", "B", "m2", spent=10)
    await books.refund("o1", "r1", kept=7)
    await books.order("some", "C", "m2", earned=repaid)
    assert (await books.standing("m2")).debt == 3 - repaid
    await books.ledger.merge_cards(MergeCards("mrg", "m1", "m2", books.now))
    if is_undone:
        await books.ledger.unmerge_cards(UnmergeCards("mrg", "m1", "m2", books.now))
    await books.order("o3", "C", "m2", earned=50)
    await books.refund("o1", "r2", kept=0)
    assert (await books.standing("m2")).available == 40 + repaid

    found = differences(await simulate(books, terms))
    later = differences(await simulate(books, terms, since=books.now))
    await books.close()

    assert set(found.values()) == set(later.values()) == {0}, found
