"""Zones of articles that GIFT and EXCHANGE coupons give, in GraphQL."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from kernel.graphql import Money, MoneyInput
from merchants import offers
from merchants.schema.offers import minor_of, money_or_none

_ARTICLES = "Articles in the zone; with `categoryIds`, both together."
_CATEGORIES = "Categories whose articles are in the zone."


@strawberry.type(
    description="Articles that a coupon gives. The member puts the picked ones into the cart at "
    "their public price, and the coupon takes the price off them."
)
class GiftZone:
    """Articles that a coupon gives."""

    skus: Sequence[str] | None = strawberry.field(description=_ARTICLES + " Null for none.")
    category_ids: Sequence[str] | None = strawberry.field(description=_CATEGORIES + " Null: none.")
    pick: int = strawberry.field(description="Units that the member may pick: k of the zone's n.")
    max_unit_price: Money | None = strawberry.field(
        description="Most that a unit may cost publicly; null without a limit."
    )
    add_on_price: Money = strawberry.field(
        description="What a picked unit costs (加价换购); 0 when it is free."
    )
    exclude_owned: bool = strawberry.field(
        description="Whether articles that the member bought here before are not given."
    )

    @classmethod
    def of(cls, zone: offers.GiftZone, currency: str) -> GiftZone:
        """The GraphQL object of a zone."""
        return cls(
            skus=zone.skus,
            category_ids=zone.category_ids,
            pick=zone.pick,
            max_unit_price=money_or_none(zone.value_minor, currency),
            add_on_price=Money.of(zone.add_on_minor, currency),
            exclude_owned=zone.excludes_owned,
        )


@strawberry.input(
    description="Articles that a GIFT coupon gives free, or an EXCHANGE coupon at an add-on price."
)
class GiftZoneInput:
    """Articles that a coupon gives."""

    skus: Sequence[str] | None = strawberry.field(
        default=None, description=_ARTICLES + " At most 200."
    )
    category_ids: Sequence[str] | None = strawberry.field(
        default=None, description=_CATEGORIES + " At most 200."
    )
    pick: int | None = strawberry.field(
        default=1, description="Units that the member may pick, 1 to 20."
    )
    max_unit_price: MoneyInput | None = strawberry.field(
        default=None,
        description="Most that a unit may cost publicly, for a zone of equal value; absent: no "
        "limit.",
    )
    add_on_price: MoneyInput | None = strawberry.field(
        default=None, description="EXCHANGE only: what a picked unit costs; absent: nothing."
    )
    exclude_owned: bool | None = strawberry.field(
        default=False, description="Do not give articles that the member bought here before."
    )

    def amounts(self, path: str) -> list[tuple[str, MoneyInput | None]]:
        """Its amounts with their paths, for `currency_problems`."""
        return [
            (f"{path}.maxUnitPrice", self.max_unit_price),
            (f"{path}.addOnPrice", self.add_on_price),
        ]

    def zone(self) -> offers.GiftZone:
        """The zone as the rules take it."""
        return offers.GiftZone(
            skus=None if self.skus is None else tuple(self.skus),
            category_ids=None if self.category_ids is None else tuple(self.category_ids),
            pick=1 if self.pick is None else self.pick,
            value_minor=minor_of(self.max_unit_price),
            add_on_minor=minor_of(self.add_on_price) or 0,
            excludes_owned=bool(self.exclude_owned),
        )
