"""A small invented coupon history whose every outcome is known by construction."""

import csv
import gzip
from pathlib import Path
from typing import Any

OUTCOMES = {
    0: "APPLIED",
    1: "APPLIED",
    2: "OUT_OF_SCOPE",
    3: "NO_ORDER",
    4: "NO_EFFECT",
    5: "APPLIED",
    6: "STACKING_GROUP",
    7: "APPLIED",
    8: "APPLIED",
    9: "NO_ORDER",
}
"""What becomes of each redemption, by its place in the file."""

TAKEN_MINOR = 80 + 100 + 80 + 80 + 100
"""Redemptions 0, 1, 5, 7 and 8: two faces are the default, 100; tea's middle discount is 80."""

_REDEMPTIONS = [
    ("ann", "tea", "1", "2017-01-05"),  # discount recorded: the face
    ("ann", "jam", "1", "2017-01-05"),  # no discount recorded, and the second basket has it
    ("bob", "tea", "1", "2017-01-06"),  # bob bought no tea
    ("bob", "jam", "1", "2017-01-07"),  # bob bought nothing
    ("cat", "jam", "1", "2017-01-06"),  # the jam cost nothing
    ("dan", "tea", "1", "2017-01-08"),  # two of one coupon in one basket
    ("dan", "tea", "1", "2017-01-08"),
    ("ann", "tea", "1", "2017-01-31"),  # on the campaign's last day, the second of her two
    ("dan", "jam", "2", "2017-02-01"),  # the same coupon in the next campaign
    ("eve", "oil", "2", "2017-02-02"),  # a household without any basket, a coupon of unsold oil
]

_BASKETS: list[tuple[str, str, str, str, list[tuple[str, int, int]]]] = [
    ("1", "ann", "s1", "2017-01-05T09:00:00", [("t1", 300, 80), ("x", 500, 0)]),
    ("2", "ann", "s2", "2017-01-05T18:00:00", [("j1", 250, 0), ("t1", 300, 0)]),
    ("3", "bob", "s1", "2017-01-06T10:00:00", [("x", 500, 0), ("j1", 100, 0)]),
    ("4", "cat", "s2", "2017-01-06T10:00:00", [("j1", 0, 0), ("x", 100, 0)]),
    ("5", "dan", "s1", "2017-01-08T10:00:00", [("t1", 200, 90), ("t2", 500, 60)]),
    ("6", "ann", "s1", "2017-01-31T23:30:00", [("t2", 333, 0), ("t1", 334, 0)]),
    ("7", "dan", "s2", "2017-02-01T00:10:00", [("j1", 120, 0)]),
    ("8", "ann", "s2", "2017-01-20T10:00:00", [("t1", 900, 700)]),  # no redemption that day
]

_PRODUCTS = [
    *[("tea", product, "1") for product in ("t1", "t2", "t3")],
    ("jam", "j1", "1"),
    ("jam", "j1", "2"),
    ("oil", "o1", "2"),
    ("salt", "s1", "2"),
]


def write_coupons(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _write(
        directory / "coupon_redemptions.csv.gz",
        ["household_id", "coupon_upc", "campaign_id", "redemption_date"],
        _REDEMPTIONS,
    )
    _write(
        directory / "campaigns.csv.gz",
        ["campaign_id", "campaign_type", "start_date", "end_date"],
        [("1", "A", "2016-12-20", "2017-01-31"), ("2", "B", "2017-02-01", "2017-03-01")],
    )
    _write(directory / "coupons.csv.gz", ["coupon_upc", "product_id", "campaign_id"], _PRODUCTS)
    _write(
        directory / "orders.csv.gz",
        ["order_id", "member_id", "merchant_id", "placed_at"],
        [basket[:4] for basket in _BASKETS],
    )
    lines = [(basket[0], *line) for basket in _BASKETS for line in basket[4]]
    columns = ["order_id", "product_id", "sales_value_minor", "coupon_disc_minor"]
    _write(directory / "order_lines_1.csv.gz", columns, lines[:7])
    _write(directory / "order_lines_2.csv.gz", columns, lines[7:])


def _write(path: Path, columns: list[str], rows: list[Any]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
