"""Reads a chain's coupon history: campaigns, coupons, redemptions, and the baskets of those days.

The format is described in docs/replay.md.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median_low

from gateway.replay.history import HistoryUnreadable

DEFAULT_FACE_MINOR = 100
"""Face of a coupon of which no discount is recorded: what most recorded discounts are."""

FACE_MAX_MINOR = 20_00
"""The most that a coupon without a minimum spend takes off (docs/rules/coupons.md, rule 2)."""

Key = tuple[str, str]
"""A coupon's number and its campaign."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """When a campaign's coupons are good: both days are in."""

    reference: str
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class ChainTemplate:
    """A coupon of one campaign that somebody redeemed.

    Attributes:
        face_minor: middle of its recorded discounts; the default where there is none.
        skus: its products that occur in a replayed basket; its first product where none does.
        holders: how many coupons each household needs, by its number.
    """

    coupon: str
    campaign: Campaign
    face_minor: int
    skus: tuple[str, ...]
    holders: Mapping[str, int]

    @property
    def name(self) -> str:
        """Unique in the chain; names its stacking group too."""
        return f"{self.coupon}-{self.campaign.reference}"


@dataclass(frozen=True, slots=True)
class Redemption:
    """One redemption; `row` is its place in the file, from 0."""

    row: int
    household: str
    template: str
    day: date


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One product in a basket.

    Attributes:
        value_minor: what the shop took for all of its units, coupons not deducted.
        coupon_minor: the discount by coupon that the history records.
    """

    sku: str
    value_minor: int
    coupon_minor: int


@dataclass(frozen=True, slots=True)
class Basket:
    """One order on a day on which its household redeemed a coupon; `placed_at` is local time."""

    number: str
    household: str
    store: str
    placed_at: datetime
    lines: tuple[BasketLine, ...]


@dataclass(frozen=True, slots=True)
class CouponHistory:
    """What a replay of coupons sends; baskets in the order of time."""

    templates: tuple[ChainTemplate, ...]
    redemptions: tuple[Redemption, ...]
    baskets: tuple[Basket, ...]


def read_coupon_history(directory: Path) -> CouponHistory:
    """The redemptions of the directory's files, and all that they need.

    Raises:
        HistoryUnreadable: a file or column is missing, a value is malformed, or nothing was
            redeemed.
    """
    try:
        redemptions = _read_redemptions(directory)
        days = {(each.household, each.day) for each in redemptions}
        baskets = _read_baskets(directory, days)
        templates = _read_templates(directory, redemptions, baskets)
    except (OSError, KeyError, ValueError, EOFError, csv.Error) as error:
        raise HistoryUnreadable(f"{directory}: {error}") from error
    if not redemptions:
        raise HistoryUnreadable(f"{directory}: nothing was redeemed")
    return CouponHistory(templates, redemptions, baskets)


def _read_redemptions(directory: Path) -> tuple[Redemption, ...]:
    return tuple(
        Redemption(
            row=index,
            household=row["household_id"],
            template=f"{row['coupon_upc']}-{row['campaign_id']}",
            day=date.fromisoformat(row["redemption_date"]),
        )
        for index, row in enumerate(_rows(directory / "coupon_redemptions.csv.gz"))
    )


def _read_baskets(directory: Path, days: set[tuple[str, date]]) -> tuple[Basket, ...]:
    rows = [
        row
        for row in _rows(directory / "orders.csv.gz")
        if (row["member_id"], date.fromisoformat(row["placed_at"][:10])) in days
    ]
    lines: dict[str, list[BasketLine]] = {row["order_id"]: [] for row in rows}
    for path in sorted(directory.glob("order_lines*.csv.gz")):
        for row in _rows(path):
            if row["order_id"] in lines:
                lines[row["order_id"]].append(
                    BasketLine(
                        row["product_id"],
                        int(row["sales_value_minor"]),
                        int(row["coupon_disc_minor"]),
                    )
                )
    baskets = [
        Basket(
            number=row["order_id"],
            household=row["member_id"],
            store=row["merchant_id"],
            placed_at=datetime.fromisoformat(row["placed_at"]),
            lines=tuple(lines[row["order_id"]]),
        )
        for row in rows
    ]
    return tuple(sorted(baskets, key=lambda basket: (basket.placed_at, basket.number)))


def _read_templates(
    directory: Path, redemptions: Sequence[Redemption], baskets: Sequence[Basket]
) -> tuple[ChainTemplate, ...]:
    campaigns = {
        row["campaign_id"]: Campaign(
            row["campaign_id"],
            date.fromisoformat(row["start_date"]),
            date.fromisoformat(row["end_date"]),
        )
        for row in _rows(directory / "campaigns.csv.gz")
    }
    redeemed = {each.template for each in redemptions}
    products: dict[Key, set[str]] = defaultdict(set)
    for row in _rows(directory / "coupons.csv.gz"):
        if f"{row['coupon_upc']}-{row['campaign_id']}" in redeemed:
            products[row["coupon_upc"], row["campaign_id"]].add(row["product_id"])
    bought = {line.sku for basket in baskets for line in basket.lines}
    recorded = _recorded_discounts(redemptions, baskets, products)
    holders = Counter((each.template, each.household) for each in redemptions)
    by_template: dict[str, dict[str, int]] = defaultdict(dict)
    for (name, household), count in sorted(holders.items()):
        by_template[name][household] = count
    missing = redeemed - {f"{coupon}-{campaign}" for coupon, campaign in products}
    if missing:
        raise ValueError(f"redeemed, and never issued: {', '.join(sorted(missing)[:5])}")
    return tuple(
        ChainTemplate(
            coupon=coupon,
            campaign=campaigns[campaign],
            face_minor=_face(recorded.get((coupon, campaign), [])),
            skus=tuple(sorted(skus & bought) or sorted(skus)[:1]),
            holders=by_template[f"{coupon}-{campaign}"],
        )
        for (coupon, campaign), skus in sorted(products.items())
    )


def _recorded_discounts(
    redemptions: Sequence[Redemption],
    baskets: Sequence[Basket],
    products: Mapping[Key, set[str]],
) -> dict[Key, list[int]]:
    """Each coupon's discounts: on its products, in the baskets of the days it was redeemed on."""
    by_day: dict[tuple[str, date], list[BasketLine]] = defaultdict(list)
    for basket in baskets:
        by_day[basket.household, basket.placed_at.date()].extend(basket.lines)
    key_by_name = {f"{coupon}-{campaign}": (coupon, campaign) for coupon, campaign in products}
    found: dict[Key, list[int]] = defaultdict(list)
    for each in redemptions:
        key = key_by_name.get(each.template)
        if key is not None:
            found[key] += [
                line.coupon_minor
                for line in by_day[each.household, each.day]
                if line.coupon_minor > 0 and line.sku in products[key]
            ]
    return found


def _face(discounts: list[int]) -> int:
    return min(FACE_MAX_MINOR, median_low(discounts)) if discounts else DEFAULT_FACE_MINOR


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
