"""Paid memberships of two cards that become one: no paid time is lost unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import derived_id
from merchants.ladders.paid import PaidMembership, PaidPlan, moved_up, paid_until, united
from merchants.ladders.paid_sql import read_paid_of
from merchants.port import MergeWallets
from merchants.wallets.uniting_paid import part_paid
from merchants.wallets.uniting_sql import return_overlays
from tests.merchants.ladders.test_paid_memberships import on_sale, refund, sell
from tests.merchants.shop import ANN, BOB, NOW, TEA, Shop, membership_of

CAT = derived_id("card", "cat")
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


def test_what_a_merge_told_before_is_not_refunded_again() -> None:
    early = bought("early", NOW - timedelta(days=265))
    late = bought("late", NOW - timedelta(days=65), card=BOB)

    for told, more in ((3_000, 7_000), (10_001, 0)):
        [changed] = united([late, replace(early, refunded_minor=told)], now=NOW)
        assert (changed.refunded_at, changed.refunded_minor) == (NOW, more)


def test_what_was_bought_since_follows_its_own_card_and_never_begins_in_the_past() -> None:
    running = bought("running", NOW - timedelta(days=65))
    grace = replace(running, ends_at=NOW - timedelta(days=1), plan=replace(YEAR, grace_days=9))
    refunded = replace(bought("refunded", NOW + timedelta(days=200)), refunded_at=NOW)
    first = bought("first", NOW + timedelta(days=900))
    second = bought("second", first.ends_at)
    old = bought("old", NOW + timedelta(days=1_900))

    def moved(*own: PaidMembership) -> list[tuple[str, datetime, datetime]]:
        changed = moved_up(own, fixed={"running", "old"}, now=NOW)
        return [(each.id, each.starts_at, each.ends_at) for each in changed]

    end = paid_until(running.ends_at, 12)
    in_chain = [("first", running.ends_at, end), ("second", end, paid_until(end, 12))]
    assert moved(second, refunded, first, running) == in_chain
    assert moved(grace, first) == [("first", NOW, paid_until(NOW, 12))]
    assert moved(running, old) == []
    assert moved(running, replace(first, starts_at=running.ends_at)) == []


Wallets = dict[str, tuple[PaidMembership, ...]]


async def kept(shop: Shop) -> Wallets:
    """What each has bought, the latest first."""
    found = await shop.database.snapshot(
        lambda connection: read_paid_of(connection, [(TEA, card) for card in (ANN, BOB, CAT)])
    )
    return {card: found.get((TEA, card), ()) for card in (ANN, BOB, CAT)}


def merge_of(name: str, merged: str = BOB) -> MergeWallets:
    return MergeWallets(TEA, name, ANN, membership_of(ANN), merged, membership_of(merged))


@pytest_asyncio.fixture
async def both(shop: Shop) -> Shop:
    """Ann bought a year, and Bob the same 200 days later: now."""
    for card_id in (ANN, BOB):
        await shop.join(card_id)
    await on_sale(shop)
    await sell(shop, "anns", card_id=ANN)
    shop.pass_time(days=200)
    await sell(shop, "bobs", card_id=BOB)
    return shop


async def test_a_merge_refunds_the_overlap_and_undoing_it_gives_both_back(both: Shop) -> None:
    before = await kept(both)
    preview = await both.backend.merge(replace(merge_of("mrg-1"), dry_run=True))
    await both.backend.merge(merge_of("mrg-1"))
    merged = await kept(both)
    standing = (await both.standings())[0]
    await both.backend.unmerge(merge_of("mrg-1"))
    undone = await kept(both)

    [later, earlier] = merged[ANN]
    told = 36_500 * 165 // 365
    assert merged[BOB] == ()
    assert (earlier.refunded_at, later.refunded_at) == (both.clock.now(), None)
    assert earlier.refunded_minor == preview.paid_refunds_minor == told
    assert standing.rank == 2
    assert undone == {**before, ANN: (replace(before[ANN][0], refunded_minor=told),)}
    assert [(await both.standings(card))[0].rank for card in (ANN, BOB)] == [2, 2]


async def test_one_purchase_is_never_refunded_twice_however_often_it_is_merged(both: Shop) -> None:
    given = []
    for name in ("mrg-1", "mrg-2"):
        await both.backend.merge(merge_of(name))
        given.append((await kept(both))[ANN][1].refunded_minor)
        await both.backend.unmerge(merge_of(name))
    [again] = (await kept(both))[ANN]
    await refund(both, again.id)
    [ended] = (await kept(both))[ANN]

    assert given == [16_500, 0]
    assert (again.refunded_at, again.refunded_minor) == (None, 16_500)
    assert (ended.refunded_at, ended.refunded_minor) == (both.clock.now(), 0)


async def test_a_renewal_bought_between_leaves_no_gap_when_the_merge_is_undone(both: Shop) -> None:
    await both.backend.merge(merge_of("mrg-1"))
    await sell(both, "renewal", card_id=ANN)
    await both.backend.unmerge(merge_of("mrg-1"))
    undone = await kept(both)
    both.pass_time(days=365)

    [renewal, first] = undone[ANN]
    assert (renewal.starts_at, renewal.ends_at) == (first.ends_at, paid_until(first.ends_at, 12))
    assert len(undone[BOB]) == 1
    assert [standing.rank for standing in await both.standings()] == [2]


async def test_what_a_merge_kept_before_amounts_were_kept_is_undone_too(both: Shop) -> None:
    """Nor were those kept that the merge left as they were."""
    for card_id in (ANN, BOB):
        await sell(both, f"{card_id}-renewal", card_id=card_id)
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    now = both.clock.now()
    was = {each.id: each for wallet in before.values() for each in wallet}
    changed = [
        (
            each.id,
            span_of(was[each.id]),
            (*span_of(each), to_micros(now) if each.refunded_at else None),
        )
        for each in (await kept(both))[ANN]
        if each != replace(was[each.id], card_id=ANN)
    ]

    def part(connection: Connection) -> None:
        return_overlays(connection, TEA, before=ANN, after=BOB)
        part_paid(connection, TEA, changed, card_ids=(ANN, BOB), now=now)

    await both.database.transaction(part)

    [renewal, first] = before[ANN]
    assert len(changed) == 3
    assert await kept(both) == {**before, ANN: (renewal, replace(first, refunded_minor=16_500))}


def span_of(bought: PaidMembership) -> tuple[int, int]:
    return to_micros(bought.starts_at), to_micros(bought.ends_at)


async def with_renewals(both: Shop) -> Wallets:
    """Each renews, and then they are one; what each had before."""
    await sell(both, "anns-renewal", card_id=ANN)
    await sell(both, "bobs-renewal", card_id=BOB)
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    return before


async def test_a_renewal_that_a_refund_moved_up_waits_again_for_what_its_own_card_got_back(
    both: Shop,
) -> None:
    before = await with_renewals(both)
    both.pass_time(days=10)
    await refund(both, before[BOB][1].id)
    begun = next(each for each in (await kept(both))[ANN] if each.id == before[ANN][0].id)
    both.pass_time(days=10)
    await both.backend.unmerge(merge_of("mrg-1"))

    undone = await kept(both)
    assert begun.starts_at == both.clock.now() - timedelta(days=10)
    assert undone[ANN][0] == before[ANN][0]
    # Her first counts these ten days, for it ends when it would have: her renewal keeps its whole
    # time, or she would pay for them twice.
    assert (undone[ANN][1].refunded_at, undone[ANN][1].ends_at) == (None, before[ANN][1].ends_at)
    # Bob's renewal follows his own, which is refunded: it begins as soon as he has it again.
    [renewal, refunded] = undone[BOB]
    assert refunded.refunded_at == begun.starts_at
    assert (renewal.starts_at, renewal.ends_at) == (
        both.clock.now(),
        paid_until(both.clock.now(), 12),
    )


async def test_a_renewal_that_began_by_a_refund_goes_on_when_its_own_card_has_nothing_else(
    both: Shop,
) -> None:
    await sell(both, "bobs-renewal", card_id=BOB)
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    both.pass_time(days=10)
    await refund(both, before[BOB][1].id)
    since = both.clock.now()
    both.pass_time(days=10)
    await both.backend.unmerge(merge_of("mrg-1"))

    renewal = (await kept(both))[BOB][0]
    assert (renewal.starts_at, renewal.ends_at) == (since, paid_until(since, 12))


def of_id(wallet: tuple[PaidMembership, ...], paid_id: str) -> PaidMembership:
    return next(each for each in wallet if each.id == paid_id)


@pytest.mark.parametrize("is_renewal", [False, True])
async def test_what_was_bought_since_and_began_waits_too_for_what_its_own_card_got_back(
    both: Shop, is_renewal: bool
) -> None:
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    if is_renewal:
        await sell(both, "since", card_id=ANN)
    await refund(both, before[BOB][0].id)
    paid_id = await sell(both, "since", card_id=ANN)  # Sold once, however often it is told.
    since = of_id((await kept(both))[ANN], paid_id)
    both.pass_time(days=10)
    await both.backend.unmerge(merge_of("mrg-1"))

    [waits, first] = (await kept(both))[ANN]
    assert since.starts_at == both.clock.now() - timedelta(days=10)
    assert (first.id, first.ends_at) == (before[ANN][0].id, before[ANN][0].ends_at)
    assert (waits.id, waits.starts_at) == (since.id, first.ends_at)
    assert waits.ends_at == paid_until(first.ends_at, 12)


async def test_what_was_bought_since_and_began_goes_on_when_its_own_card_has_nothing_else(
    both: Shop,
) -> None:
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    await refund(both, before[BOB][0].id)
    paid_id = await sell(both, "since", card_id=ANN)
    since = of_id((await kept(both))[ANN], paid_id)
    both.pass_time(days=170)
    await both.backend.unmerge(merge_of("mrg-1"))

    assert of_id((await kept(both))[ANN], paid_id) == since


async def test_of_two_merges_each_is_undone_alone_and_leaves_what_the_other_brought(
    both: Shop,
) -> None:
    await both.join(CAT)
    both.pass_time(days=50)
    await sell(both, "cats", card_id=CAT)
    both.pass_time(days=10)
    before = await kept(both)
    await both.backend.merge(merge_of("mrg-1"))
    await both.backend.merge(merge_of("mrg-2", CAT))
    both.pass_time(days=5)

    await both.backend.unmerge(merge_of("mrg-1"))
    assert of_id((await kept(both))[ANN], before[CAT][0].id).starts_at == before[CAT][0].starts_at

    await both.backend.unmerge(merge_of("mrg-2", CAT))
    assert spans(await kept(both)) == spans(before)


def spans(wallets: Wallets) -> dict[str, list[tuple[datetime, datetime, datetime | None]]]:
    """What each has, and when it begins and ends."""
    return {
        card: [(each.starts_at, each.ends_at, each.refunded_at) for each in bought]
        for card, bought in wallets.items()
    }
