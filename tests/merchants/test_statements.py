"""Reads of many keys at once use an index, however large the tables grow."""

import pytest

from kernel.statements import driver_connection
from merchants import registry_sql
from merchants.coupons import coupons_sql
from merchants.keys_sql import keys_parameter
from merchants.ladders import (
    figures_sql,
    held_sql,
    history_sql,
    ladders_sql,
    members_sql,
    paid_sql,
    window_sql,
)
from merchants.sales import orders_sql
from tests.merchants.shop import ANN, BOOKS, TEA, Shop

PARAMETERS = {
    "keys": keys_parameter([(TEA, ANN), (BOOKS, ANN)]),
    "since": 0,
    "placed_at": 0,
    "order_id": "",
    "valid_until": 0,
    "coupon_id": "",
    "now": 0,
    "limit": 5,
    "states": ["ISSUED"],
    "merchant_id": TEA,
    "card_id": ANN,
    "at": 0,
    "ladder": "count",
    "cause": "",
    "reference": "",
    "until": 0,
    "after": "",
}


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "statement",
    [
        registry_sql._CARDS_BY_MEMBERSHIP,
        ladders_sql._LIFETIME,
        ladders_sql._SINCE,
        coupons_sql._BY_KEY,
        coupons_sql._PAGES,
        coupons_sql._USABLE,
        orders_sql._BY_KEY,
        orders_sql._OF_CARDS,
        orders_sql._OF_MERCHANT,
        held_sql._READ,
        held_sql._FLOORS,
        held_sql._PAGE,
        figures_sql._BY_MERCHANT,
        figures_sql._GROWTH,
        history_sql._SALES,
        history_sql._RECORDED,
        history_sql._TASKS,
        members_sql._PAGE,
        paid_sql._OF_CARDS,
        window_sql._SALES,
        window_sql._RECORDED,
    ],
    ids=[
        "memberships",
        "lifetime figures",
        "figures of a window",
        "coupons",
        "coupon pages",
        "usable coupons",
        "orders",
        "order pages",
        "a merchant's orders",
        "held tiers",
        "floors",
        "evaluations",
        "weighed orders",
        "growth",
        "sales with refunds",
        "recorded orders with events",
        "tasks",
        "members",
        "paid memberships",
        "sales of a window",
        "recorded orders of a window",
    ],
)
async def test_no_read_of_a_wallet_scans_a_table(shop: Shop, statement) -> None:
    sql, values = statement.bound(PARAMETERS)

    plan = await shop.database.snapshot(
        lambda connection: [
            row[3]
            for row in driver_connection(connection).execute(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
    )

    scans = [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
    tables = ("sale", "coupon", "membership", "card_metric", "recorded_order", *"scpmhfgroe")
    assert plan
    assert [step for step in scans if step.split()[1] in tables] == []
    assert [step for step in plan if "(merchant_id=?)" in step] == []
