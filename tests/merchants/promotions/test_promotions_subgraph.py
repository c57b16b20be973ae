"""Promotions through GraphQL: set by the merchant, read by anyone, told in two languages."""

from datetime import timedelta
from typing import Any

from kernel.graphql import format_datetime
from tests.merchants.shop import ANN_SELF, BOOKS_STAFF, NOW, STORE, TEA, TEA_STAFF, Shop, cart

SET = """
mutation ($input: SetPromotionInput!) {
  setPromotion(input: $input) {
    __typename
    ... on PromotionSet {
      replayed
      promotion { id version title kind price { amountMinor } stockLeft skus membersOnly }
    }
    ... on InvalidInputRefusal { problems { field message } }
    ... on Refusal { code }
  }
}
"""
LIST = """
query ($r: [_Any!]!) {
  _entities(representations: $r) {
    ... on Merchant { promotions(first: 2) { nodes { title } pageInfo { hasNextPage } } }
  }
}
"""
PRICE = """
query ($input: BackendPriceInput!) {
  backendPrice(input: $input) {
    ... on BackendPriced {
      payable { amountMinor }
      decisions { title message reason }
      stock { promotionId units }
    }
  }
}
"""


def cny(amount_minor: int) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "currency": "CNY"}


def flash(**more: Any) -> dict[str, Any]:
    return {
        "requestId": "r-1",
        "merchantId": TEA,
        "title": "秒杀",
        "kind": "FLASH_SALE",
        "startsAt": format_datetime(NOW - timedelta(hours=1)),
        "endsAt": format_datetime(NOW + timedelta(hours=1)),
        "price": cny(100),
        "skus": ["tea"],
        "stock": 10,
        **more,
    }


def shopping() -> dict[str, Any]:
    return {
        "merchantId": TEA,
        "storeId": STORE,
        "channel": "STORE_POS",
        "at": format_datetime(NOW),
        "lines": [{"sku": "tea", "quantity": 2, "unitPrice": cny(500)}],
        "memberPointValue": "1",
        "pointsCapBps": 5_000,
        "earnPointsPerMajorUnit": 1,
    }


async def test_a_promotion_is_set_once_for_each_request_and_versions_follow(shop: Shop) -> None:
    first, _ = await shop.ask(SET, TEA_STAFF, input=flash())
    again, _ = await shop.ask(SET, TEA_STAFF, input=flash())
    made = first["setPromotion"]["promotion"]
    following, _ = await shop.ask(
        SET, TEA_STAFF, input=flash(requestId="r-2", promotionId=made["id"], price=cny(90))
    )

    assert again["setPromotion"] == {**first["setPromotion"], "replayed": True}
    assert made["version"] == 1
    assert made["stockLeft"] == 10
    assert following["setPromotion"]["promotion"]["id"] == made["id"]
    assert following["setPromotion"]["promotion"]["version"] == 2
    assert following["setPromotion"]["promotion"]["price"] == {"amountMinor": 90}


async def test_the_kind_of_a_promotion_stays(shop: Shop) -> None:
    first, _ = await shop.ask(SET, TEA_STAFF, input=flash())
    promotion_id = first["setPromotion"]["promotion"]["id"]
    other = flash(requestId="r-2", promotionId=promotion_id, kind="LIMITED_PRICE", stock=None)

    data, _ = await shop.ask(SET, TEA_STAFF, input=other)

    assert [each["field"] for each in data["setPromotion"]["problems"]] == ["kind"]


async def test_promotions_of_others_are_not_found(shop: Shop) -> None:
    first, _ = await shop.ask(SET, TEA_STAFF, input=flash())
    promotion_id = first["setPromotion"]["promotion"]["id"]

    unknown, _ = await shop.ask(SET, TEA_STAFF, input=flash(requestId="x", promotionId="prm_no"))
    foreign, _ = await shop.ask(SET, BOOKS_STAFF, input=flash(promotionId=promotion_id))
    _, errors = await shop.ask(SET, ANN_SELF, input=flash())

    assert unknown["setPromotion"]["code"] == "NOT_FOUND"
    assert foreign["setPromotion"]["code"] == "NOT_FOUND"
    assert errors == ["FORBIDDEN"]


async def test_others_see_promotions_once_they_have_begun(shop: Shop) -> None:
    later = format_datetime(NOW + timedelta(minutes=10))
    await shop.ask(SET, TEA_STAFF, input=flash(title="now"))
    shop.pass_time(minutes=1)
    await shop.ask(SET, TEA_STAFF, input=flash(requestId="r-2", title="later", startsAt=later))
    tea = {"__typename": "Merchant", "id": TEA}

    async def titles(caller: Any) -> list[str]:
        data, _ = await shop.ask(LIST, caller, r=[tea])
        return [each["title"] for each in data["_entities"][0]["promotions"]["nodes"]]

    assert await titles(TEA_STAFF) == ["later", "now"]
    assert await titles(None) == ["now"]


async def test_a_price_tells_its_stock_and_speaks_the_language_of_the_request(shop: Shop) -> None:
    made, _ = await shop.ask(SET, TEA_STAFF, input=flash())

    english, _ = await shop.ask(PRICE, TEA_STAFF, input=shopping())
    chinese, _ = await shop.ask(PRICE, TEA_STAFF, input=shopping(), language="zh")

    promotion_id = made["setPromotion"]["promotion"]["id"]
    assert english["backendPrice"]["stock"] == [{"promotionId": promotion_id, "units": 2}]
    assert english["backendPrice"]["decisions"][0]["message"] == "Takes 8.00 off."
    assert chinese["backendPrice"]["decisions"][0]["message"] == "已优惠 8.00。"


async def test_an_order_tells_each_reader_in_the_readers_language(shop: Shop) -> None:
    await shop.join()
    placed = await shop.place(cart(1_000, points=100, points_available=100))
    order = {"__typename": "Order", "id": placed.order.id, "merchantId": TEA}
    document = (
        "query ($r: [_Any!]!) { _entities(representations: $r) {"
        " ... on Order { decisions { title message } } } }"
    )

    english, _ = await shop.ask(document, ANN_SELF, r=[order])
    chinese, _ = await shop.ask(document, ANN_SELF, r=[order], language="zh")

    assert english["_entities"][0]["decisions"] == [
        {"title": "Points", "message": "100 points take 1.00 off."}
    ]
    assert chinese["_entities"][0]["decisions"] == [
        {"title": "积分", "message": "100 积分抵扣 1.00。"}
    ]


async def test_a_refusal_speaks_the_language_of_the_request(shop: Shop) -> None:
    document = SET.replace("code", "code message")
    given = flash(promotionId="prm_none")

    english, _ = await shop.ask(document, TEA_STAFF, input=given)
    chinese, _ = await shop.ask(document, TEA_STAFF, input=given, language="zh")

    assert english["setPromotion"]["message"] == (
        "The id 'prm_none' names nothing that you may see."
    )
    assert chinese["setPromotion"]["message"] == "未找到编号“prm_none”，或您无权查看。"
