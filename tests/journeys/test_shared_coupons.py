"""A coupon passed on to a friend, who becomes a member by claiming it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.town import Settled, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAIMS = 50
DAY = timedelta(days=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("shared")) as town:
        yield await settle(town)


async def coupon_of(people: Settled, card_id: str, **template: Any) -> str:
    """Id of a new coupon of tea's that can be passed on; a new day, so that no limit is near."""
    town, till = people.town, people.town.merchant(people.tea)
    town.gateway.clock.set(town.gateway.clock.now() + DAY)
    made = await town.done(
        "CreateCouponTemplate",
        till,
        **{
            "merchantId": people.tea,
            "title": "分享减5",
            "kind": "AMOUNT_OFF",
            "amount": cny(500),
            "minSpend": cny(1_000),
            "shareable": True,
            **template,
        },
    )
    issued = await town.done(
        "IssueCoupons", till, templateId=made["template"]["id"], cardIds=[card_id]
    )
    return str(issued["coupons"][0]["id"])


async def share(people: Settled, coupon_id: str) -> str:
    """The code of ann's share."""
    answer = await people.town.done(
        "ShareCoupon", people.town.member(people.ann), couponId=coupon_id
    )
    assert answer["coupon"]["state"] == "TRANSFERRED"
    assert answer["coupon"]["share"]["code"] == answer["shareCode"]
    return str(answer["shareCode"])


async def claim(people: Settled, code: str, phone: str, **more: Any) -> Any:
    """Tea's till claims for whoever has that phone."""
    return await people.town.change(
        "ClaimCoupon",
        people.town.merchant(people.tea),
        shareCode=code,
        storeId=people.tea_shop,
        credential={"phone": phone},
        **more,
    )


async def state_of(people: Settled, coupon_id: str) -> str:
    document = "query($id: ID!) { node(id: $id) { ... on Coupon { state } } }"
    data = await people.town.gateway.data(document, token=people.town.admin, id=coupon_id)
    return str(data["node"]["state"])


async def pays(people: Settled, card_id: str, coupon_id: str) -> tuple[int, str | None]:
    """What a cart of 10.00 costs with the coupon, and why the coupon was refused."""
    cart = {
        "storeId": people.tea_shop,
        "cardId": card_id,
        "lines": [line(1_000)],
        "couponIds": [coupon_id],
        "chooseBest": False,
    }
    quote = await people.town.query("Quote", people.town.merchant(people.tea), cart=cart)
    [reason] = [each["reason"] for each in quote["decisions"] if each["id"] == coupon_id]
    return quote["payable"]["amountMinor"], reason


async def test_a_stranger_joins_by_claiming_and_redeems_at_once(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card)
    code = await share(people, coupon_id)

    claimed = await claim(people, code, "+8613900000001")

    assert claimed["__typename"] == "CouponClaimed", claimed
    assert claimed["alreadyMember"] is False
    assert claimed["coupon"]["state"] == "ISSUED"
    assert await state_of(people, coupon_id) == "TRANSFERRED"
    identified = await people.town.query(
        "Identify",
        people.town.merchant(people.tea),
        credential={"phone": "+8613900000001"},
        storeId=people.tea_shop,
    )
    card_id = identified["member"]["card"]["id"]
    assert await pays(people, card_id, claimed["coupon"]["id"]) == (500, None)
    assert (await pays(people, people.ann_card, coupon_id))[0] == 1_000


async def test_a_member_of_another_merchant_joins_by_claiming_itself(people: Settled) -> None:
    code = await share(people, await coupon_of(people, people.ann_card))
    bob = people.town.member(people.bob)

    homeless = await people.town.change("ClaimCoupon", bob, shareCode=code)
    claimed = await people.town.done("ClaimCoupon", bob, shareCode=code, storeId=people.tea_shop)

    assert homeless["code"] == "INVALID_INPUT"
    assert claimed["alreadyMember"] is False
    assert claimed["membership"]["merchant"]["id"] == people.tea
    assert await pays(people, people.bob_card, claimed["coupon"]["id"]) == (500, None)


async def test_fifty_claims_at_once_give_one_coupon(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card)
    code = await share(people, coupon_id)

    answers = await asyncio.gather(
        *(claim(people, code, f"+86137{number:08}") for number in range(CLAIMS))
    )

    words = Counter(word_of({"data": {"answer": answer}}) for answer in answers)
    assert words == {"ok": 1, "SHARE_NOT_CLAIMABLE": CLAIMS - 1}
    assert {each.get("reason") for each in answers} == {None, "CLAIMED"}


async def test_what_a_friend_gave_can_not_be_passed_on(people: Settled) -> None:
    code = await share(people, await coupon_of(people, people.ann_card))
    cat, _ = await people.town.join(people.tea, people.tea_shop, phone="+8613900000003")
    claimed = await people.town.done(
        "ClaimCoupon", people.town.member(cat), shareCode=code, storeId=people.tea_shop
    )

    answer = await people.town.change(
        "ShareCoupon", people.town.member(cat), couponId=claimed["coupon"]["id"]
    )

    assert claimed["alreadyMember"] is True
    assert (answer["code"], answer["reason"]) == ("COUPON_NOT_SHAREABLE", "PASSED_ON_BEFORE")


async def test_a_member_can_not_claim_its_own_coupon(people: Settled) -> None:
    code = await share(people, await coupon_of(people, people.ann_card))

    by_token = await people.town.change(
        "ClaimCoupon", people.town.member(people.ann), shareCode=code
    )
    by_phone = await claim(people, code, "+8613800000001")

    assert by_token["reason"] == by_phone["reason"] == "OWN_COUPON"


async def test_nor_under_another_name_with_the_same_phone(people: Settled) -> None:
    """Books typed ann's number too, which made a second member of her there."""
    twin, _ = await people.town.join(people.books, people.books_shop, phone="+8613800000001")
    assert twin != people.ann
    code = await share(people, await coupon_of(people, people.ann_card))

    answer = await people.town.change(
        "ClaimCoupon", people.town.member(twin), shareCode=code, storeId=people.tea_shop
    )

    assert (answer["code"], answer["reason"]) == ("SHARE_NOT_CLAIMABLE", "OWN_COUPON")


async def test_a_share_for_new_members_is_for_who_joins_by_it(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card, shareNewMembersOnly=True)
    code = await share(people, coupon_id)
    await people.town.join(people.tea, people.tea_shop, phone="+8613900000004")

    old = await claim(people, code, "+8613900000004")
    new = await claim(people, code, "+8613900000005")

    assert (old["code"], old["reason"]) == ("SHARE_NOT_CLAIMABLE", "NEW_MEMBERS_ONLY")
    assert new["alreadyMember"] is False


async def test_a_share_is_taken_back_until_it_is_claimed(people: Settled) -> None:
    town, ann = people.town, people.town.member(people.ann)
    coupon_id = await coupon_of(people, people.ann_card)
    code = await share(people, coupon_id)

    back = await town.done("TakeBackCoupon", ann, couponId=coupon_id)
    late = await claim(people, code, "+8613900000006")
    anew = await share(people, coupon_id)
    await claim(people, anew, "+8613900000006")
    too_late = await town.change("TakeBackCoupon", ann, couponId=coupon_id)

    assert back["coupon"] == {"id": coupon_id, "state": "ISSUED", "share": None}
    assert late["reason"] == "TAKEN_BACK"
    assert anew != code
    assert (too_late["code"], too_late["reason"]) == ("COUPON_NOT_SHAREABLE", "CLAIMED")


async def test_a_share_that_nobody_claims_gives_the_coupon_back(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card, shareDays=2)
    code = await share(people, coupon_id)
    assert await pays(people, people.ann_card, coupon_id) == (1_000, "COUPON_TRANSFERRED")

    people.town.gateway.clock.set(people.town.gateway.clock.now() + 2 * DAY)
    late = await claim(people, code, "+8613900000007")

    assert late["reason"] == "EXPIRED"
    assert await state_of(people, coupon_id) == "ISSUED"
    assert await pays(people, people.ann_card, coupon_id) == (500, None)


async def test_a_day_has_ten_shares_of_a_member(people: Settled) -> None:
    town, ann = people.town, people.town.member(people.ann)
    coupon_id = await coupon_of(people, people.ann_card)
    for _ in range(10):
        await share(people, coupon_id)
        await town.done("TakeBackCoupon", ann, couponId=coupon_id)

    answer = await town.change("ShareCoupon", ann, couponId=coupon_id)
    town.gateway.clock.set(town.gateway.clock.now() + DAY)

    assert (answer["code"], answer["reason"]) == ("COUPON_NOT_SHAREABLE", "DAILY_LIMIT")
    await share(people, coupon_id)


async def test_a_day_has_five_claims_of_a_member(people: Settled) -> None:
    coupons = [await coupon_of(people, people.ann_card) for _ in range(6)]
    codes = [await share(people, coupon_id) for coupon_id in coupons]

    answers = [await claim(people, code, "+8613900000008") for code in codes]

    assert [each.get("reason") for each in answers] == [None] * 5 + ["DAILY_LIMIT"]


async def test_a_template_says_whether_its_coupons_go_to_friends(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card, shareable=False)

    answer = await people.town.change(
        "ShareCoupon", people.town.member(people.ann), couponId=coupon_id
    )

    assert (answer["code"], answer["reason"]) == ("COUPON_NOT_SHAREABLE", "NOT_FORWARDABLE")


async def test_a_share_code_shows_to_its_holder_alone(people: Settled) -> None:
    coupon_id = await coupon_of(people, people.ann_card)
    await share(people, coupon_id)
    document = "query($id: ID!) { node(id: $id) { ... on Coupon { share { code } } } }"

    till = await people.town.gateway.data(
        document, token=people.town.merchant(people.tea), id=coupon_id
    )

    assert till["node"] == {"share": None}


async def test_a_store_of_another_merchant_takes_no_part(people: Settled) -> None:
    code = await share(people, await coupon_of(people, people.ann_card))

    answer = await people.town.change(
        "ClaimCoupon",
        people.town.merchant(people.books),
        shareCode=code,
        storeId=people.books_shop,
        credential={"phone": "+8613900000009"},
    )

    assert answer["code"] == "NOT_FOUND"


async def test_a_coupon_of_the_alliance_goes_to_a_friend_anywhere(people: Settled) -> None:
    town = people.town
    alliance = (await town.query("AllianceSettings", town.admin))["merchant"]["id"]
    made = await town.done(
        "CreateCouponTemplate",
        town.admin,
        merchantId=alliance,
        title="联盟分享",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        funder="ALLIANCE",
        shareable=True,
        shareNewMembersOnly=True,
        quotaPerMember=2,
    )
    template_id = made["template"]["id"]
    codes = []
    for _ in range(2):
        issued = await town.done(
            "IssueCoupons", town.admin, templateId=template_id, cardIds=[people.ann_card]
        )
        codes.append(await share(people, issued["coupons"][0]["id"]))

    known = await town.change("ClaimCoupon", town.member(people.bob), shareCode=codes[0])
    stranger = await town.done(
        "ClaimCoupon",
        town.merchant(people.books),
        shareCode=codes[1],
        storeId=people.books_shop,
        credential={"phone": "+8613900000010"},
    )

    assert (known["code"], known["reason"]) == ("SHARE_NOT_CLAIMABLE", "NEW_MEMBERS_ONLY")
    assert stranger["coupon"]["merchantId"] == alliance
    assert stranger["membership"]["merchant"]["id"] == people.books
