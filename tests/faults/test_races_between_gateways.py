"""Gateways on one ledger, each with a clock of its own, want what only one of them can have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.clock import to_micros
from ledger.contract import GrantOverBudget
from ledger.reports.as_of import AsOf, read_net_as_of
from tests.ledger.book import MARCH, Books
from tests.ledger.booking.test_grants import grant
from tests.ledger.clearing.test_periods import APRIL_2, close
from tests.ledger.clearing.test_periods import MARCH as MARCH_PERIOD
from tests.ledger.settlement_rules.test_settlement_rules import approve, propose
from tests.places import Places

pytestmark = pytest.mark.both_databases
Pair = tuple[Books, Books]


@pytest.fixture
async def gateways(places: Places) -> AsyncIterator[Pair]:
    one = await Books.open(places.address("ledger"), lanes=4)
    other = await Books.open(places.address("ledger"), lanes=4)
    yield one, other
    await one.close()
    await other.close()


async def test_one_grant_sent_to_two_gateways_at_once_is_answered_alike(gateways: Pair) -> None:
    gateways[1].clock.set(MARCH + timedelta(milliseconds=3))

    for number in range(5):
        answers = await asyncio.gather(*(grant(books, f"g{number}") for books in gateways))

        assert [each["__typename"] for each in answers] == ["CoinsGranted"] * 2
        assert sorted(each["replayed"] for each in answers) == [False, True]


async def test_grants_in_several_lanes_at_once_keep_to_their_funders_budget(gateways: Pair) -> None:
    for books in gateways:
        books.settings = replace(books.settings, grant_budget_minor=1_000)
    wanted = [(gateways[number % 2], number) for number in range(8)]

    answers = await asyncio.gather(
        *(grant(at, f"g{i}", 300, funderMerchantId="A", cardId=f"m{i}") for at, i in wanted)
    )
    rewards = await asyncio.gather(
        *(at.grant(f"r{i}", f"m{i}", 300) for at, i in wanted), return_exceptions=True
    )

    assert [each["__typename"] for each in answers].count("CoinsGranted") == 3
    assert sum(isinstance(each, GrantOverBudget) for each in rewards) == 5
    positions = await gateways[0].rows(
        "SELECT account, sum(amount) FROM position WHERE kind = 'COINS_ISSUE' AND amount < 0 "
        "GROUP BY account ORDER BY account"
    )
    assert [tuple(row) for row in positions] == [("A", -900), ("ALLIANCE", -900)]
    assert (await gateways[0].verify()).is_sound


async def test_no_rule_takes_effect_before_what_a_gateway_with_a_fast_clock_booked(
    gateways: Pair,
) -> None:
    """That was settled by another rule, and a rule in force then is to settle it."""
    slow, fast = gateways
    fast.clock.set(MARCH + timedelta(seconds=90))
    await fast.order("o1", "A", "m1", earned=100)
    drafts = [
        await propose(
            slow, f"p{notice}", effectiveFrom=(MARCH + timedelta(seconds=notice)).isoformat()
        )
        for notice in (89, 149, 150)
    ]

    answers = [
        await approve(slow, draft["rule"]["id"], request_id=draft["rule"]["id"]) for draft in drafts
    ]

    assert [each["__typename"] for each in answers] == [
        "InvalidInputRefusal",
        "InvalidInputRefusal",
        "SettlementRuleApproved",
    ]


async def test_what_was_booked_while_a_period_closed_was_not_known_before(gateways: Pair) -> None:
    """The instant of the closing is the asking gateway's, which waits for what others book."""
    closing, booking = gateways
    closing.clock.set(APRIL_2)
    booking.clock.set(APRIL_2 + timedelta(seconds=5))
    await booking.order("o1", "A", "m1", earned=100, at=MARCH)
    asked = AsOf(to_micros(APRIL_2), recorded_by=to_micros(APRIL_2 + timedelta(seconds=4)))

    closed = await close(closing, MARCH_PERIOD)

    net = await closing.subgraph.context_for(None, "", "").read(
        lambda connection: read_net_as_of(connection, "A", asked)
    )
    assert (closed["__typename"], net) == ("PeriodClosed", 0)
