"""A member invites a friend, the friend buys, the member is rewarded: once, and for no tricks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.membership import referrals_sql
from gateway.membership.referrals import REWARD_MINOR
from gateway.membership.referrals_sql import FRIENDS_A_DAY, RETURN_WINDOW
from kernel.callers import CallerKind
from tests.journeys.town import Settled, cny, settle, town_at

ME = """{ me { referralCode referrals { pending qualified rewarded reversed }
    card { coins { available { amountMinor } } } } }"""


@pytest_asyncio.fixture
async def people(tmp_path: Path) -> AsyncIterator[Settled]:
    async with town_at(tmp_path) as town:
        yield await settle(town)


async def me(people: Settled) -> Any:
    return (await people.town.gateway.data(ME, token=people.town.member(people.ann)))["me"]


async def told(people: Settled) -> tuple[dict[str, int], int]:
    """Ann's friends by state, those states without any left out; and her coins."""
    seen = await me(people)
    friends = {state: count for state, count in seen["referrals"].items() if count}
    return friends, seen["card"]["coins"]["available"]["amountMinor"]


async def invite(people: Settled, phone: str, **more: Any) -> tuple[str, str]:
    """Ids of a friend of Ann's, and of its card."""
    code = (await me(people))["referralCode"]
    fields = {
        "storeId": people.books_shop,
        "credential": {"phone": phone},
        "consents": [],
        "referralCode": code,
        **more,
    }
    joined = await people.town.done("Join", people.town.merchant(people.books), **fields)
    return joined["member"]["id"], joined["member"]["card"]["id"]


async def buy(people: Settled, card_id: str) -> str:
    sold = await people.town.sell(
        people.books, people.books_shop, people.town.request_id(), 5_000, cardId=card_id
    )
    await sweep(people)
    return str(sold["order"]["id"])


async def sweep(people: Settled, wait: timedelta = timedelta(0)) -> None:
    clock = people.town.gateway.clock
    clock.set(clock.now() + wait)
    await people.town.opened.alliance.sweepers.run_once()


async def test_a_friend_who_buys_and_keeps_it_earns_one_reward(people: Settled) -> None:
    _, card_id = await invite(people, "+8613800000021")
    assert await told(people) == ({"pending": 1}, 0)

    await buy(people, card_id)
    await buy(people, card_id)
    assert await told(people) == ({"qualified": 1}, 0)
    await sweep(people, RETURN_WINDOW - timedelta(seconds=1))
    assert await told(people) == ({"qualified": 1}, 0)
    await sweep(people, timedelta(seconds=1))
    assert await told(people) == ({"rewarded": 1}, REWARD_MINOR)
    await sweep(people, timedelta(days=30))

    assert await told(people) == ({"rewarded": 1}, REWARD_MINOR)
    assert (await people.town.opened.ledger.verify()).findings == ()


async def test_a_first_order_that_was_returned_earns_nothing(people: Settled) -> None:
    _, card_id = await invite(people, "+8613800000021")
    order_id = await buy(people, card_id)
    await people.town.done(
        "RefundOrder",
        people.town.merchant(people.books),
        orderId=order_id,
        refundNo="r-1",
        amount=cny(5_000),
    )

    await sweep(people, RETURN_WINDOW)

    assert await told(people) == ({"reversed": 1}, 0)


async def test_nobody_invites_themselves_at_another_merchant(people: Settled) -> None:
    """Ann's phone was asserted at the tea shop; at the bookshop it makes another member."""
    member_id, _ = await invite(people, "+8613800000001")

    assert member_id != people.ann
    assert await told(people) == ({}, 0)


async def test_nobody_invites_themselves_by_their_own_phone(people: Settled) -> None:
    town = people.town
    app = await town.open_store(people.books, "app", "APP")
    token = town.gateway.token(CallerKind.MERCHANT, people.books, device="phone-1")
    ids = []
    for number in (1, 2):
        code = {} if number == 1 else {"referralCode": await _code_of(people, ids[0])}
        joined = await town.done(
            "Join",
            token,
            storeId=app,
            credential={"phone": f"+861380000003{number}"},
            consents=[],
            **code,
        )
        ids.append(joined["member"]["id"])

    seen = await town.gateway.data(ME, token=town.member(ids[0]))
    assert set(seen["me"]["referrals"].values()) == {0}


async def test_who_is_a_member_already_is_no_friend(people: Settled) -> None:
    number = await people.town.card_number(people.bob)
    await people.town.done(
        "Join",
        people.town.merchant(people.tea),
        storeId=people.tea_shop,
        credential={"cardNumber": number},
        consents=[],
        referralCode=(await me(people))["referralCode"],
    )

    assert await told(people) == ({}, 0)


async def test_friends_beyond_the_daily_limit_do_not_count(people: Settled) -> None:
    for number in range(FRIENDS_A_DAY + 2):
        await invite(people, f"+86138000001{number:02}")

    assert await told(people) == ({"pending": FRIENDS_A_DAY}, 0)


@pytest.mark.parametrize("bought", [False, True])
async def test_a_referral_between_two_that_are_one_is_reversed(
    people: Settled, bought: bool
) -> None:
    friend, card_id = await invite(people, "+8613800000021")
    if bought:
        await buy(people, card_id)
    await people.town.done(
        "MergeMembers", people.town.admin, survivorId=people.ann, mergedId=friend, dryRun=False
    )

    await sweep(people, RETURN_WINDOW)

    assert await told(people) == ({"reversed": 1}, 0)


async def test_a_frozen_members_reward_waits(people: Settled) -> None:
    town = people.town
    _, card_id = await invite(people, "+8613800000021")
    await buy(people, card_id)
    for frozen in (True, False):
        await town.done(
            "FreezeMember", town.admin, memberId=people.ann, frozen=frozen, reason="checked"
        )
        await sweep(people, RETURN_WINDOW)
        expected = ({"qualified": 1}, 0) if frozen else ({"rewarded": 1}, REWARD_MINOR)
        assert await told(people) == expected


async def test_rewards_that_wait_for_frozen_members_keep_no_others_waiting(
    people: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referrals_sql, "DUE_BATCH", 2)
    town = people.town
    bobs = await _code_of(people, people.bob)
    for number in range(3):
        _, card_id = await invite(people, f"+861380000020{number}", referralCode=bobs)
        await buy(people, card_id)
    _, card_id = await invite(people, "+8613800000021")
    await buy(people, card_id)
    await town.done("FreezeMember", town.admin, memberId=people.bob, frozen=True, reason="checked")

    await sweep(people, RETURN_WINDOW)

    assert await told(people) == ({"rewarded": 1}, REWARD_MINOR)


@pytest.mark.parametrize("changed", ["the card", "the reward"])
async def test_a_reward_that_was_given_before_a_crash_is_not_given_again_whatever_changed(
    people: Settled, changed: str
) -> None:
    town = people.town
    bobs = await _code_of(people, people.bob)
    _, card_id = await invite(people, "+8613800000021", referralCode=bobs)
    await buy(people, card_id)
    clock, referrals = town.gateway.clock, town.opened.alliance._referrals
    clock.set(clock.now() + RETURN_WINDOW)
    referrals._reach = crash
    with pytest.raises(Crash):
        await referrals.sweep()
    referrals._reach = lambda step: None
    if changed == "the reward":
        referrals._reward_minor += 1
        assert await referrals.sweep() == 1
    await town.done(
        "MergeMembers", town.admin, survivorId=people.ann, mergedId=people.bob, dryRun=False
    )

    assert await referrals.sweep() == (changed == "the card")
    assert await told(people) == ({"rewarded": 1}, REWARD_MINOR)


class Crash(BaseException):
    """The process ended here."""


def crash(step: str) -> None:
    raise Crash(step)


async def _code_of(people: Settled, member_id: str) -> str:
    seen = await people.town.gateway.data(ME, token=people.town.member(member_id))
    return str(seen["me"]["referralCode"])
