from typing import Any

import pytest

from kernel.callers import Caller
from kernel.ids import derived_id, derived_id_within
from merchants.ladders.tiers import Benefit, TierMetric
from merchants.port import LockCoupons, MerchantState
from tests.merchants.shop import (
    ADMIN,
    ALLIANCE,
    ANN,
    ANN_SELF,
    BOB_SELF,
    BOOKS,
    BOOKS_STAFF,
    NOW,
    STORE,
    TEA,
    TEA_STAFF,
    Shop,
    amount_off,
    cart,
    ladder,
    membership_of,
    with_benefit,
)

WALLET = """
query ($r: [_Any!]!, $first: Int = 20, $after: String, $states: [CouponState!]) {
  _entities(representations: $r) {
    ... on Membership {
      id merchantId
      wallet {
        tier { ladder name rank validUntil progress { metric current next nextName remaining } }
        tiers { ladder name rank }
        benefits { title kind }
        coupons(first: $first, after: $after, states: $states) {
          nodes { id code title state validUntil minSpend { amountMinor } merchant { id } }
          pageInfo { hasNextPage endCursor }
        }
        orders(first: $first) { nodes { orderNo } }
      }
    }
  }
}
"""
ORDER = """
query ($r: [_Any!]!) {
  _entities(representations: $r) {
    ... on Order {
      id orderNo state placedAt channel list { amountMinor } payable { amountMinor currency }
      refunded { amountMinor } pointsSpent coinsSpent { amountMinor } pointsEarned
      lines { index payable { amountMinor } allocations { decisionId amount { amountMinor } } }
      decisions { id kind outcome amount { amountMinor } }
      store { id } membership { id merchantId } merchant { id }
    }
  }
}
"""
COUPON = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Coupon { id state } } }"
CARD = """
query ($r: [_Any!]!) {
  _entities(representations: $r) {
    ... on Card { id allianceWallet { tiers { name } coupons { nodes { id } } } }
  }
}
"""
MERCHANT = """
query ($r: [_Any!]!, $first: Int = 20, $after: String) {
  _entities(representations: $r) {
    ... on Merchant {
      id
      orders(first: $first, after: $after) { nodes { orderNo } pageInfo { hasNextPage endCursor } }
      tierLadders { name version primary steps { name threshold } }
      couponTemplates { nodes { id title issued } }
    }
  }
}
"""


def membership(card_id: str = ANN, merchant_id: str = TEA) -> dict[str, str]:
    return {
        "__typename": "Membership",
        "id": membership_of(card_id, merchant_id),
        "merchantId": merchant_id,
    }


async def test_a_wallet_shows_tiers_benefits_coupons_and_orders(shop: Shop) -> None:
    made = ladder(TierMetric.PURCHASE_COUNT, ("new", 1), ("regular", 2), name="count")
    await shop.set_ladder(with_benefit(made, Benefit("FREE_GIFT", "A cup", entitlement="cup")))
    await shop.join()
    await shop.coupon(amount_off(1_000, min_spend_minor=5_000))
    await shop.place(cart(700), order_no="7")

    data, errors = await shop.ask(WALLET, ANN_SELF, r=[membership()])

    wallet = data["_entities"][0]["wallet"]
    assert errors == []
    assert wallet["tier"] == {
        "ladder": "count",
        "name": "new",
        "rank": 1,
        "validUntil": None,
        "progress": {
            "metric": "PURCHASE_COUNT",
            "current": 1,
            "next": 2,
            "nextName": "regular",
            "remaining": 1,
        },
    }
    assert wallet["benefits"] == [{"title": "A cup", "kind": "FREE_GIFT"}]
    assert wallet["coupons"]["nodes"][0]["state"] == "ISSUED"
    assert wallet["coupons"]["nodes"][0]["merchant"] == {"id": TEA}
    assert wallet["orders"]["nodes"] == [{"orderNo": "7"}]


async def test_thirty_wallets_cost_one_statement_for_each_kind_of_field(shop: Shop) -> None:
    merchant_ids = [derived_id("mer", str(index)) for index in range(30)]
    for merchant_id in merchant_ids:
        await shop.backend.register(merchant_id, MerchantState.ACTIVE, version=1)
        await shop.join(merchant_id=merchant_id)
        await shop.coupon(amount_off(1_000), merchant_id=merchant_id)
    reads = []
    whole = shop.database.snapshot

    async def counting(work: Any) -> Any:
        reads.append(work)
        return await whole(work)

    shop.database.snapshot = counting  # type: ignore[method-assign]
    data, errors = await shop.ask(
        WALLET, ANN_SELF, r=[membership(ANN, merchant_id) for merchant_id in merchant_ids]
    )

    assert errors == []
    assert all(len(each["wallet"]["coupons"]["nodes"]) == 1 for each in data["_entities"])
    assert len(reads) == 4


async def test_coupons_page_by_key_soonest_to_end_first(shop: Shop) -> None:
    await shop.join()
    days = [5, 1, 3, 2, 4]
    for day in days:
        await shop.coupon(amount_off(day * 100), valid_days=day)
    await shop.coupon(amount_off(999))

    titles: list[str] = []
    after = None
    for _ in range(3):
        data, _ = await shop.ask(WALLET, ANN_SELF, r=[membership()], first=2, after=after)
        page = data["_entities"][0]["wallet"]["coupons"]
        titles += [node["title"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert titles == ["100 off", "200 off", "300 off", "400 off", "500 off", "999 off"]
    assert not page["pageInfo"]["hasNextPage"]


async def test_coupons_are_found_by_state_expired_ones_too(shop: Shop) -> None:
    await shop.join()
    await shop.coupon(amount_off(100), valid_days=1)
    locked = await shop.coupon(amount_off(200))
    await shop.coupon(amount_off(300))
    await shop.backend.lock(LockCoupons(TEA, "a", STORE, ANN, (locked,)))
    shop.pass_time(days=1)

    found = {}
    for state in ("EXPIRED", "LOCKED", "ISSUED", "REDEEMED"):
        data, _ = await shop.ask(WALLET, ANN_SELF, r=[membership()], states=[state])
        nodes = data["_entities"][0]["wallet"]["coupons"]["nodes"]
        found[state] = [(node["title"], node["state"]) for node in nodes]

    assert found == {
        "EXPIRED": [("100 off", "EXPIRED")],
        "LOCKED": [("200 off", "LOCKED")],
        "ISSUED": [("300 off", "ISSUED")],
        "REDEEMED": [],
    }


@pytest.mark.parametrize("caller", [None, BOB_SELF, BOOKS_STAFF])
async def test_nobody_sees_what_is_anothers(shop: Shop, caller: Caller | None) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))
    placed = await shop.place(cart(700))
    key = {"merchantId": TEA}
    asked = [
        (WALLET, membership()),
        (COUPON, {"__typename": "Coupon", "id": coupon_id, **key}),
        (ORDER, {"__typename": "Order", "id": placed.order.id, **key}),
        (CARD, {"__typename": "Card", "id": ANN}),
    ]

    for document, representation in asked:
        data, errors = await shop.ask(document, caller, r=[representation])
        told = {
            name: value
            for name, value in data["_entities"][0].items()
            if name not in ("id", "merchantId", "merchant")
        }
        assert set(told.values()) == {None}
        assert set(errors) == {"FORBIDDEN"}


@pytest.mark.parametrize("caller", [ANN_SELF, TEA_STAFF, ADMIN])
async def test_owner_merchant_and_admin_see_an_order_whole(shop: Shop, caller: Caller) -> None:
    await shop.join()
    placed = await shop.place(cart(700, points=100, points_available=100, shipping_minor=50))

    data, errors = await shop.ask(
        ORDER,
        caller,
        r=[{"__typename": "Order", "id": placed.order.id, "merchantId": TEA}],
    )

    order = data["_entities"][0]
    assert errors == []
    assert order["payable"] == {"amountMinor": 650, "currency": "CNY"}
    assert (order["pointsSpent"], order["pointsEarned"]) == (100, 6)
    assert order["lines"][0]["allocations"] == [
        {"decisionId": "points", "amount": {"amountMinor": 100}}
    ]
    assert order["store"] == {"id": STORE}
    assert order["membership"] == {"id": membership_of(ANN), "merchantId": TEA}


async def test_an_id_under_the_wrong_merchant_finds_nothing(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000))

    data, errors = await shop.ask(
        COUPON, ADMIN, r=[{"__typename": "Coupon", "id": coupon_id, "merchantId": BOOKS}]
    )

    assert data["_entities"][0]["state"] is None
    assert errors == ["FORBIDDEN"]


async def test_the_alliance_wallet_is_the_cards_own(shop: Shop) -> None:
    await shop.join(merchant_id=ALLIANCE)
    coupon_id = await shop.coupon(amount_off(1_000), merchant_id=ALLIANCE)

    data, errors = await shop.ask(CARD, ANN_SELF, r=[{"__typename": "Card", "id": ANN}])

    assert errors == []
    assert data["_entities"][0]["allianceWallet"]["coupons"]["nodes"] == [{"id": coupon_id}]


async def test_a_merchant_pages_its_orders_newest_first(shop: Shop) -> None:
    for number in range(3):
        await shop.place(cart(700), order_no=str(number))
        shop.pass_time(minutes=1)
    representation = [{"__typename": "Merchant", "id": TEA}]

    first, _ = await shop.ask(MERCHANT, TEA_STAFF, r=representation, first=2)
    page = first["_entities"][0]["orders"]
    second, _ = await shop.ask(
        MERCHANT, TEA_STAFF, r=representation, after=page["pageInfo"]["endCursor"]
    )

    assert [each["orderNo"] for each in page["nodes"]] == ["2", "1"]
    assert second["_entities"][0]["orders"]["nodes"] == [{"orderNo": "0"}]


async def test_a_merchants_orders_and_templates_are_its_own_its_ladders_public(
    shop: Shop,
) -> None:
    await shop.set_ladder(ladder(TierMetric.AMOUNT, ("silver", 10_000)))

    data, errors = await shop.ask(MERCHANT, BOOKS_STAFF, r=[{"__typename": "Merchant", "id": TEA}])

    assert data["_entities"][0]["orders"] is None
    assert data["_entities"][0]["couponTemplates"] is None
    assert data["_entities"][0]["tierLadders"][0]["primary"]
    assert errors == ["FORBIDDEN", "FORBIDDEN"]


async def test_the_backend_contract_sells_and_refunds_over_graphql(shop: Shop) -> None:
    await shop.join()
    coupon_id = await shop.coupon(amount_off(1_000, min_spend_minor=5_000))
    order_id = derived_id_within("ord", TEA, "1")
    money = {"currency": "CNY"}
    wanted = {
        "merchantId": TEA,
        "storeId": STORE,
        "channel": "STORE_POS",
        "at": NOW.isoformat(),
        "cardId": ANN,
        "lines": [{"sku": "tea", "quantity": 2, "unitPrice": {"amountMinor": 4_000, **money}}],
        "memberPointValue": "1",
        "pointsCapBps": 5_000,
        "earnPointsPerMajorUnit": 1,
    }
    priced, _ = await shop.ask(
        """mutation ($lock: BackendLockInput!) { backendLock(input: $lock) {
             ... on BackendLocked { replayed coupons { state } } } }""",
        TEA_STAFF,
        lock={
            "merchantId": TEA,
            "attemptId": "a",
            "storeId": STORE,
            "cardId": ANN,
            "couponIds": [coupon_id],
        },
    )
    placed, errors = await shop.ask(
        """mutation ($place: BackendPlaceInput!, $refund: BackendRefundInput!) {
             backendPlace(input: $place) {
               ... on BackendPlaced { absorbed { amountMinor } order { payable { amountMinor } } } }
             backendRefund(input: $refund) {
               ... on BackendRefunded { terms { cash { amountMinor } couponOutcome } } } }""",
        TEA_STAFF,
        place={
            "merchantId": TEA,
            "attemptId": "a",
            "orderId": order_id,
            "orderNo": "1",
            "cart": wanted,
            "version": "as agreed",
            "paidAt": NOW.isoformat(),
        },
        refund={
            "merchantId": TEA,
            "orderId": order_id,
            "refundNo": "1",
            "lines": [{"lineIndex": 0, "quantity": 1}],
        },
    )
    events, _ = await shop.ask(
        """query ($m: ID!) { backendEvents(merchantId: $m) {
             edges { node { kind redemptions { amount { amountMinor } } } } } }""",
        TEA_STAFF,
        m=TEA,
    )
    _, foreign = await shop.ask(
        "query ($m: ID!) { backendEvents(merchantId: $m) { edges { cursor } } }",
        BOOKS_STAFF,
        m=TEA,
    )

    assert priced["backendLock"]["coupons"] == [{"state": "LOCKED"}]
    assert errors == []
    assert placed["backendPlace"] == {
        "absorbed": {"amountMinor": 0},
        "order": {"payable": {"amountMinor": 7_000}},
    }
    assert placed["backendRefund"]["terms"] == {
        "cash": {"amountMinor": 3_500},
        "couponOutcome": "KEPT",
    }
    assert [each["node"]["kind"] for each in events["backendEvents"]["edges"]] == [
        "ORDER_PLACED",
        "ORDER_REFUNDED",
    ]
    assert foreign == ["FORBIDDEN"]
