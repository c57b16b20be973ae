"""Paid memberships of two cards that become one: no paid time is lost unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from merchants.ladders.paid import PaidMembership, PaidPlan, paid_until, united
from merchants.ladders.paid_sql import read_paid_of
from merchants.port import MergeWallets
from tests.merchants.shop import ANN, BOB, NOW, TEA, Shop, membership_of
from tests.merchants.test_paid_memberships import on_sale, sell

YEAR = PaidPlan("YEAR", 1, "年卡", None, 36_500, 12)


def bought(name: str, starts_at: datetime, plan: PaidPlan = YEAR, card: str = ANN) -> Any:
    return PaidMembership(name, TEA, card, plan, starts_at, paid_until(starts_at, plan.months))


def test_of_two_of_a_plan_that_run_the_one_that_ends_first_is_refunded_for_its_days() -> None:
    early = bought("early", NOW - timedelta(days=265))
    late = bought("late", NOW - timedelta(days=65), card=BOB)

    assert united([late, early], now=NOW) == [
        replace(early, refunded_at=NOW, refunded_minor=10_000)
    ]


def test_what_had_not_begun_begins_after_what_runs_one_after_the_other() -> None:
    early, late = bought("early", NOW - timedelta(days=265)), bought("late", NOW)
    of_early = bought("of-early", early.ends_at)
    of_late = bought("of-late", late.ends_at)

    changed = {each.id: each for each in united([early, late, of_early, of_late], now=NOW)}

    assert changed["of-early"].starts_at == late.ends_at
    assert changed["of-late"].starts_at == changed["of-early"].ends_at
    assert changed["of-late"].ends_at == paid_until(changed["of-early"].ends_at, 12)
    assert set(changed) == {"early", "of-early", "of-late"}


@pytest.mark.parametrize("count", [1, 3])
def test_what_one_card_bought_is_left_as_it_is(count: int) -> None:
    chain = [bought("0", NOW - timedelta(days=1))]
    for index in range(1, count):
        chain.append(bought(str(index), chain[-1].ends_at))
    other = bought("other", NOW, replace(YEAR, code="OTHER"), BOB)
    refunded = replace(bought("refunded", NOW), refunded_at=NOW, refunded_minor=1)

    assert united([*chain, other, refunded], now=NOW) == []


async def test_a_merge_refunds_the_overlap_and_undoing_it_gives_both_back(shop: Shop) -> None:
    for card_id in (ANN, BOB):
        await shop.join(card_id)
    await on_sale(shop)
    await sell(shop, "anns", card_id=ANN)
    shop.pass_time(days=2)
    await sell(shop, "bobs", card_id=BOB)
    names = MergeWallets(TEA, "mrg-1", ANN, membership_of(ANN), BOB, membership_of(BOB))

    async def kept() -> dict[str, Any]:
        found = await shop.database.snapshot(
            lambda connection: read_paid_of(connection, [(TEA, ANN), (TEA, BOB)])
        )
        return {card: found.get((TEA, card), ()) for card in (ANN, BOB)}

    before = await kept()
    await shop.backend.merge(names)
    merged = await kept()
    standing = (await shop.standings())[0]
    await shop.backend.unmerge(names)

    [later, earlier] = merged[ANN]
    assert merged[BOB] == ()
    assert (earlier.refunded_at, later.refunded_at) == (shop.clock.now(), None)
    days = (earlier.ends_at - shop.clock.now()).days
    whole = (earlier.ends_at - earlier.starts_at).days
    assert earlier.refunded_minor == earlier.plan.price_minor * days // whole > 0
    assert standing.rank == 2
    assert await kept() == before
    assert [(await shop.standings(card))[0].rank for card in (ANN, BOB)] == [2, 2]
