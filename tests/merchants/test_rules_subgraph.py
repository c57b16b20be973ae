"""Rules of merchants over GraphQL: ladders, coupon templates, and coupons given to members."""

from typing import Any

import pytest

from kernel.callers import Caller
from kernel.ids import derived_id
from merchants.port import MerchantState
from tests.merchants.shop import (
    ADMIN,
    ALLIANCE,
    ANN,
    ANN_SELF,
    BOB,
    BOOKS_STAFF,
    TEA,
    TEA_STAFF,
    Shop,
    amount_off,
    cart,
)

SET_LADDER = """
mutation ($input: SetTierLadderInput!) {
  setTierLadder(input: $input) {
    __typename
    ... on TierLadderSet { replayed ladder { version primary metric steps { name rank } } }
    ... on InvalidInputRefusal { code problems { field message } }
    ... on Refusal { code message retryable }
  }
}
"""
CREATE_TEMPLATE = """
mutation ($input: CreateCouponTemplateInput!) {
  createCouponTemplate(input: $input) {
    __typename
    ... on CouponTemplateCreated { replayed template { id title } warnings }
    ... on InvalidInputRefusal { problems { field message } }
    ... on MerchantNotActiveRefusal { merchant { id } }
    ... on Refusal { code }
  }
}
"""
ISSUE = """
mutation ($input: IssueCouponsInput!) {
  issueCoupons(input: $input) {
    __typename
    ... on CouponsIssued { replayed coupons { id code state } }
    ... on NotAMemberRefusal { cardIds }
    ... on QuotaExhaustedRefusal { left cardsAtLimit }
    ... on InvalidInputRefusal { problems { field } }
    ... on Refusal { code }
  }
}
"""


def ladder_input(**more: Any) -> dict[str, Any]:
    return {
        "requestId": "r-1",
        "merchantId": TEA,
        "name": "count",
        "metric": "PURCHASE_COUNT",
        "steps": [
            {"name": "新客", "rank": 1, "threshold": 1},
            {"name": "普通", "rank": 2, "threshold": 2},
        ],
        **more,
    }


def template_input(**more: Any) -> dict[str, Any]:
    return {
        "requestId": "t-1",
        "merchantId": TEA,
        "title": "10 off",
        "kind": "AMOUNT_OFF",
        "amount": {"amountMinor": 1000, "currency": "CNY"},
        "minSpend": {"amountMinor": 5000, "currency": "CNY"},
        **more,
    }


async def test_a_ladder_is_set_once_for_each_request(shop: Shop) -> None:
    first, _ = await shop.ask(SET_LADDER, TEA_STAFF, input=ladder_input())
    again, _ = await shop.ask(SET_LADDER, TEA_STAFF, input=ladder_input())
    other, _ = await shop.ask(SET_LADDER, TEA_STAFF, input=ladder_input(name="else"))
    following, _ = await shop.ask(SET_LADDER, TEA_STAFF, input=ladder_input(requestId="r-2"))

    assert (first["setTierLadder"]["replayed"], again["setTierLadder"]["replayed"]) == (False, True)
    assert again["setTierLadder"]["ladder"]["version"] == 1
    assert other["setTierLadder"]["code"] == "REQUEST_ID_REUSED"
    assert following["setTierLadder"]["ladder"]["version"] == 2


async def test_every_fault_of_a_ladder_is_told_at_once(shop: Shop) -> None:
    faulty = ladder_input(
        name="",
        steps=[
            {"name": "a", "rank": 2, "threshold": 5},
            {"name": "", "rank": 2, "threshold": 5},
        ],
    )

    data, _ = await shop.ask(SET_LADDER, TEA_STAFF, input=faulty)

    assert [each["field"] for each in data["setTierLadder"]["problems"]] == [
        "name",
        "steps.1.name",
        "steps.1.rank",
        "steps.1.threshold",
    ]


@pytest.mark.parametrize(("caller", "merchant_id"), [(BOOKS_STAFF, TEA), (TEA_STAFF, ALLIANCE)])
async def test_rules_of_others_are_not_found(shop: Shop, caller: Caller, merchant_id: str) -> None:
    data, _ = await shop.ask(SET_LADDER, caller, input=ladder_input(merchantId=merchant_id))

    assert data["setTierLadder"]["code"] == "NOT_FOUND"


async def test_an_unknown_merchant_is_not_found_and_a_member_forbidden(shop: Shop) -> None:
    stranger = derived_id("mer", "stranger")

    unknown, _ = await shop.ask(SET_LADDER, ADMIN, input=ladder_input(merchantId=stranger))
    _, errors = await shop.ask(SET_LADDER, ANN_SELF, input=ladder_input())

    assert unknown["setTierLadder"]["code"] == "NOT_FOUND"
    assert errors == ["FORBIDDEN"]


async def test_a_template_is_created_and_issued_to_members(shop: Shop) -> None:
    await shop.join(ANN)
    await shop.join(BOB)
    created, _ = await shop.ask(CREATE_TEMPLATE, TEA_STAFF, input=template_input())
    template_id = created["createCouponTemplate"]["template"]["id"]
    wanted = {"requestId": "i-1", "templateId": template_id, "cardIds": [BOB, ANN]}

    issued, _ = await shop.ask(ISSUE, TEA_STAFF, input=wanted)
    again, _ = await shop.ask(ISSUE, TEA_STAFF, input=wanted)

    coupons = issued["issueCoupons"]["coupons"]
    assert [each["state"] for each in coupons] == ["ISSUED", "ISSUED"]
    assert len({each["code"] for each in coupons}) == 2
    assert again["issueCoupons"] == {**issued["issueCoupons"], "replayed": True}


async def test_issuing_is_all_or_none(shop: Shop) -> None:
    await shop.join(ANN)
    template_id = await shop.template(amount_off(500), quota_total=3, quota_per_member=1)
    wanted = {"requestId": "i-1", "templateId": template_id, "cardIds": [ANN, BOB]}

    strangers, _ = await shop.ask(ISSUE, TEA_STAFF, input=wanted)
    await shop.issue(template_id, ANN)
    exhausted, _ = await shop.ask(
        ISSUE, TEA_STAFF, input={**wanted, "requestId": "i-2", "cardIds": [ANN]}
    )
    twice, _ = await shop.ask(
        ISSUE, TEA_STAFF, input={**wanted, "requestId": "i-3", "cardIds": [ANN, ANN]}
    )
    foreign, _ = await shop.ask(ISSUE, BOOKS_STAFF, input={**wanted, "requestId": "i-4"})

    assert strangers["issueCoupons"]["cardIds"] == [BOB]
    assert exhausted["issueCoupons"]["left"] == 2
    assert exhausted["issueCoupons"]["cardsAtLimit"] == [ANN]
    assert twice["issueCoupons"]["problems"] == [{"field": "cardIds"}]
    assert foreign["issueCoupons"]["code"] == "NOT_FOUND"
    assert await shop.scalar("SELECT COUNT(*) FROM coupon") == 1


async def test_only_an_admin_promises_the_alliances_money(shop: Shop) -> None:
    wanted = template_input(funder="ALLIANCE")

    by_staff, _ = await shop.ask(CREATE_TEMPLATE, TEA_STAFF, input=wanted)
    by_admin, _ = await shop.ask(CREATE_TEMPLATE, ADMIN, input=wanted)

    assert by_staff["createCouponTemplate"]["problems"][0]["field"] == "funder"
    assert by_admin["createCouponTemplate"]["__typename"] == "CouponTemplateCreated"


async def test_a_suspended_merchant_makes_no_coupons(shop: Shop) -> None:
    await shop.backend.register(TEA, MerchantState.SUSPENDED, version=1)

    data, _ = await shop.ask(CREATE_TEMPLATE, TEA_STAFF, input=template_input())

    assert data["createCouponTemplate"]["code"] == "MERCHANT_NOT_ACTIVE"
    assert data["createCouponTemplate"]["merchant"] == {"id": TEA}


async def test_another_currency_is_refused(shop: Shop) -> None:
    wanted = template_input(minSpend={"amountMinor": 1, "currency": "EUR"})

    data, _ = await shop.ask(CREATE_TEMPLATE, TEA_STAFF, input=wanted)

    assert data["createCouponTemplate"]["problems"][0]["field"] == "minSpend.currency"


async def test_a_high_threshold_is_doubted(shop: Shop) -> None:
    await shop.place(cart(1_000))

    data, _ = await shop.ask(CREATE_TEMPLATE, TEA_STAFF, input=template_input())

    assert len(data["createCouponTemplate"]["warnings"]) == 1
