"""A merge undone: both members have their own again, unless something that moved was used."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.merging.partings import UNDO_WITHIN
from tests.journeys.test_random_merges import WALLETS
from tests.journeys.town import Settled, cny, settle, town_at


async def merge(people: Settled) -> None:
    await people.town.done(
        "MergeMembers",
        people.town.admin,
        survivorId=people.ann,
        mergedId=people.bob,
        dryRun=False,
    )


async def unmerge(people: Settled) -> Any:
    return await people.town.change("UnmergeMembers", people.town.admin, mergedId=people.bob)


async def wallets(people: Settled) -> list[str]:
    """What Ann and Bob have, anywhere."""
    town = people.town
    seen = [
        (await town.gateway.data(WALLETS, token=town.member(member_id)))["me"]
        for member_id in (people.ann, people.bob)
    ]
    return [json.dumps(each, sort_keys=True) for each in seen]


async def lived(people: Settled) -> None:
    """Both have joined both merchants, and have points, coins, coupons and orders."""
    town = people.town
    await town.join(people.tea, people.tea_shop, cardNumber=await town.card_number(people.bob))
    made = await town.done(
        "CreateCouponTemplate",
        town.merchant(people.tea),
        merchantId=people.tea,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        forNewMembers=True,
    )
    for number, card in enumerate((people.ann_card, people.bob_card)):
        await town.sell(people.tea, people.tea_shop, f"t-{number}", 10_000, cardId=card)
        await town.done("GrantCoins", town.admin, cardId=card, amount=cny(50), reason="hello")
        await town.done(
            "IssueCoupons",
            town.merchant(people.tea),
            templateId=made["template"]["id"],
            cardIds=[card],
        )
    await town.sell(people.books, people.books_shop, "b-1", 10_000, cardId=people.bob_card)


async def test_an_undone_merge_leaves_both_as_they_were(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await lived(people)
        before = await wallets(people)
        await merge(people)
        assert (await wallets(people))[0] == (await wallets(people))[1] != before[0]

        parted = await unmerge(people)

        assert parted["survivor"] == {"id": people.ann, "status": "ACTIVE"}
        assert parted["restored"] == {"id": people.bob, "status": "ACTIVE"}
        assert await wallets(people) == before
        assert (await town.opened.ledger.verify()).findings == ()
        found = await town.query(
            "Identify",
            town.merchant(people.books),
            credential={"phone": "+8613800000002"},
            storeId=people.books_shop,
        )
        assert found["member"]["id"] == people.bob


async def test_a_merge_whose_points_were_spent_stands(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await lived(people)
        await merge(people)
        await town.sell(
            people.tea, people.tea_shop, "t-9", 10_000, cardId=people.ann_card, points=250
        )
        after = await wallets(people)

        refused = await unmerge(people)

        assert (refused["code"], refused["conflicts"]) == ("MERGE_BLOCKED", ["MERGE_SPENT"])
        assert await wallets(people) == after


@pytest.mark.parametrize("late", [False, True])
async def test_a_merge_can_be_undone_for_thirty_days(tmp_path: Path, late: bool) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await merge(people)
        wait = UNDO_WITHIN - timedelta(seconds=0 if late else 1)
        town.gateway.clock.set(town.gateway.clock.now() + wait)

        answer = await unmerge(people)

        if late:
            assert answer["conflicts"] == ["MERGE_TOO_OLD"]
        else:
            assert answer["restored"]["id"] == people.bob


async def test_nobody_is_parted_twice_and_they_may_merge_again(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await merge(people)
        await unmerge(people)

        assert (await unmerge(people))["code"] == "NOT_FOUND"
        await merge(people)
        assert (await unmerge(people))["restored"]["id"] == people.bob


async def test_a_survivor_that_was_merged_again_keeps_what_it_got(tmp_path: Path) -> None:
    async with town_at(tmp_path) as town:
        people = await settle(town)
        await merge(people)
        cat, _ = await town.join(people.tea, people.tea_shop, phone="+8613800000003")
        await town.done(
            "MergeMembers", town.admin, survivorId=cat, mergedId=people.ann, dryRun=False
        )

        assert (await unmerge(people))["conflicts"] == ["MERGED_AGAIN"]
