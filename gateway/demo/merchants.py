"""The invented merchants: what they sell, where, and what they give their members."""

from __future__ import annotations

from dataclasses import dataclass

COUNT_LADDER = (
    ("新客", "New", 1),
    ("普通", "Regular", 2),
    ("高级", "Senior", 5),
    ("超级", "Super", 10),
)
AMOUNT_LADDER = (
    ("基础", "Basic", 0),
    ("银牌", "Silver", 10_000),
    ("金牌", "Gold", 50_000),
    ("钻石", "Diamond", 100_000),
)


@dataclass(frozen=True, slots=True)
class Article:
    """Something a merchant sells; `price_minor` in fen."""

    sku: str
    category: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class InventedMerchant:
    """A merchant of the demonstration.

    Attributes:
        channels: kinds of store it has, one of each.
        ladder: COUNT or AMOUNT.
        visits_weight: how often members buy here, relative to the others.
    """

    reference: str
    name: str
    name_en: str
    channels: tuple[str, ...]
    ladder: str
    visits_weight: int
    articles: tuple[Article, ...]


def _articles(category: str, *prices_minor: int) -> tuple[Article, ...]:
    return tuple(
        Article(f"{category}-{number:02}", category, price)
        for number, price in enumerate(prices_minor, start=1)
    )


MERCHANTS = (
    InventedMerchant(
        "TEA",
        "清茶里",
        "Clearleaf Tea",
        ("STORE_POS", "MINI_PROGRAM"),
        "COUNT",
        9,
        _articles("tea", 1_800, 2_200, 2_600, 5_800, 12_800),
    ),
    InventedMerchant(
        "COFFEE",
        "北巷咖啡",
        "North Lane Coffee",
        ("STORE_POS", "APP"),
        "COUNT",
        10,
        _articles("coffee", 1_500, 1_900, 2_300, 2_800, 6_900),
    ),
    InventedMerchant(
        "BREAD",
        "面包日和",
        "Daily Loaf",
        ("STORE_POS", "WEB_SHOP"),
        "COUNT",
        8,
        _articles("bread", 800, 1_200, 1_600, 2_400, 16_800),
    ),
    InventedMerchant(
        "BOOKS",
        "山野书店",
        "Hillside Books",
        ("STORE_POS", "WEB_SHOP"),
        "AMOUNT",
        5,
        _articles("books", 3_980, 4_500, 5_900, 8_800, 19_900),
    ),
    InventedMerchant(
        "FLOWERS",
        "云上花坊",
        "Cloud Florist",
        ("STORE_POS", "MINI_PROGRAM"),
        "AMOUNT",
        3,
        _articles("flowers", 3_900, 6_800, 9_900, 19_900, 39_900),
    ),
    InventedMerchant(
        "SPORT",
        "锦程运动",
        "Stride Sports",
        ("STORE_POS", "WEB_SHOP", "APP"),
        "AMOUNT",
        3,
        _articles("sport", 2_900, 9_900, 19_900, 39_900, 69_900),
    ),
    InventedMerchant(
        "BABY",
        "小满母婴",
        "Little Grain",
        ("STORE_POS", "MINI_PROGRAM"),
        "AMOUNT",
        4,
        _articles("baby", 2_500, 5_900, 8_900, 15_900, 32_900),
    ),
    InventedMerchant(
        "DIGITAL",
        "优品数码",
        "Goodbyte Digital",
        ("STORE_POS", "WEB_SHOP"),
        "AMOUNT",
        2,
        _articles("digital", 2_900, 7_900, 19_900, 59_900, 129_900),
    ),
)
