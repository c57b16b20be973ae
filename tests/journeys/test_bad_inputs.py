"""Inputs that are well-formed GraphQL and still wrong: a refusal with its code, nothing done."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.place import Place, furnish
from tests.journeys.requests import SENDERS, variables_of
from tests.journeys.town import OPERATIONS, town_at
from tests.journeys.wrong_values import INVALID, WRONG_IDS

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("bad")) as town:
        yield await furnish(town)


@pytest.mark.parametrize(("field", "path", "value", "code"), INVALID)
async def test_a_wrong_value_is_refused_and_nothing_is_done(
    place: Place, field: str, path: str, value: Any, code: str
) -> None:
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, value), code)


@pytest.mark.parametrize("wrong_id", WRONG_IDS, ids=lambda wrong: repr(wrong[:12]))
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("checkout", "cart.storeId"),
        ("checkout", "cart.cardId"),
        ("join", "storeId"),
        ("openStore", "merchantId"),
        ("extendCheckout", "checkoutId"),
        ("captureCheckout", "checkoutId"),
        ("releaseCheckout", "checkoutId"),
        ("refundOrder", "orderId"),
        ("setTierLadder", "merchantId"),
        ("createCouponTemplate", "merchantId"),
        ("setPromotion", "merchantId"),
        ("setPricingPolicy", "merchantId"),
        ("setPromotion", "promotionId"),
        ("issueCoupons", "templateId"),
        ("setCouponTemplateState", "templateId"),
        ("voidCoupons", "merchantId"),
        ("shareCoupon", "couponId"),
        ("takeBackCoupon", "couponId"),
        ("claimCoupon", "shareCode"),
        ("claimCoupon", "storeId"),
        ("closePeriod", "periodId"),
        ("confirmStatement", "periodId"),
        ("recordPayment", "merchantId"),
        ("grantCoins", "cardId"),
        ("approveSettlementRule", "ruleId"),
        ("grantCoins", "funderMerchantId"),
        ("linkIdentity", "memberId"),
        ("setConsent", "merchantId"),
        ("replaceCard", "cardId"),
        ("freezeMember", "memberId"),
        ("mergeMembers", "survivorId"),
        ("mergeMembers", "mergedId"),
        ("unmergeMembers", "mergedId"),
        ("eraseMember", "memberId"),
    ],
)
async def test_an_id_that_names_nothing_is_not_found(
    place: Place, field: str, path: str, wrong_id: str
) -> None:
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, wrong_id), "NOT_FOUND")


@pytest.mark.parametrize("kind", ["member", "card", "merchant", "store", "order", "coupon"])
@pytest.mark.parametrize(
    ("field", "path", "own"),
    [
        ("checkout", "cart.storeId", "store"),
        ("checkout", "cart.cardId", "card"),
        ("openStore", "merchantId", "merchant"),
        ("captureCheckout", "checkoutId", "checkout"),
        ("refundOrder", "orderId", "order"),
        ("setTierLadder", "merchantId", "merchant"),
        ("setPromotion", "promotionId", "promotion"),
        ("issueCoupons", "templateId", "template"),
        ("setCouponTemplateState", "templateId", "template"),
        ("shareCoupon", "couponId", "coupon"),
        ("claimCoupon", "shareCode", "share"),
        ("closePeriod", "periodId", "period"),
    ],
)
async def test_an_id_of_another_kind_is_not_found(
    place: Place, field: str, path: str, own: str, kind: str
) -> None:
    if kind == own:
        kind = "membership"
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, place.ids[kind]), "NOT_FOUND")


@pytest.mark.parametrize("wrong_id", WRONG_IDS, ids=lambda wrong: repr(wrong[:12]))
@pytest.mark.parametrize("root", ["node", "merchant", "clearingPeriod"])
async def test_what_has_no_such_id_is_null(place: Place, root: str, wrong_id: str) -> None:
    document = f"query($id: ID!) {{ {root}(id: $id) {{ id }} }}"

    answer = await place.town.gateway.data(document, token=place.token("admin"), id=wrong_id)

    assert answer == {root: None}


@pytest.mark.parametrize(
    "page",
    ["first: 0", "first: -1", "first: 101", 'after: "x"', 'after: "WzEsMiwzXQ"', 'after: "bnVsbA"'],
)
@pytest.mark.parametrize(
    "field", ["orders", "couponTemplates", "promotions", "statements", "stores"]
)
async def test_a_page_that_cannot_be_is_bad_input(place: Place, field: str, page: str) -> None:
    document = f"query($id: ID!) {{ merchant(id: $id) {{ {field}({page}) {{ nodes {{ __typename }}"

    answer = await place.town.gateway.ask(
        document + " } } }", token=place.token("tea"), id=place.people.tea
    )

    assert word_of(answer) == "BAD_USER_INPUT"
    assert answer["data"] == {"merchant": {field: None}}


async def _is_refused(place: Place, field: str, given: dict[str, Any], code: str) -> None:
    operation, caller = SENDERS[field]
    before = _without_requests(place)

    answer = await place.town.gateway.ask(
        OPERATIONS[operation], token=place.token(caller), input=given
    )

    assert "errors" not in answer, answer
    assert word_of(answer) == code, answer
    assert answer["data"][field].get("message")
    assert _without_requests(place) == before


def _changed(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The input with one value replaced."""
    changed = copy.deepcopy(given)
    *parents, last = path.split(".")
    inside: Any = changed
    for name in parents:
        inside = inside[int(name)] if name.isdigit() else inside[name]
    inside[int(last) if last.isdigit() else last] = value
    return changed


def _without_requests(place: Place) -> dict[str, list[str]]:
    return {
        table: found for table, found in place.town.dump().items() if not table.endswith(":request")
    }
