"""Input of `setPromotion`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from kernel.graphql import REQUEST_ID, MoneyInput
from merchants.promotions import terms as values
from merchants.schema.enums import PromotionKind
from merchants.schema.offers import minor_of


@strawberry.input(
    description="Input of `setPromotion`. LIMITED_PRICE and MEMBER_PRICE take `price` or "
    "`percentOffBps`; FLASH_SALE takes `price`, `skus` and `stock`; BUNDLE takes `price` and "
    "`skus`; THRESHOLD_OFF takes `threshold` and `off`; THRESHOLD_PERCENT takes `threshold` and "
    "`percentOffBps`."
)
class SetPromotionInput:
    """Input of `setPromotion`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(
        description="The merchant; an admin may name the alliance's own."
    )
    promotion_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Absent: a new promotion. The new version replaces the one before as a whole; "
        "the kind stays.",
    )
    title: str = strawberry.field(description="Name, for people.")
    kind: PromotionKind = strawberry.field(description="What it does.")
    starts_at: datetime = strawberry.field(description="First instant, inclusive.")
    ends_at: datetime = strawberry.field(
        description="Last instant, exclusive; set a new version that ends soon to stop it."
    )
    threshold: MoneyInput | None = strawberry.field(
        default=None, description="Spending it needs, on the goods it covers."
    )
    off: MoneyInput | None = strawberry.field(
        default=None, description="What it takes off; at most the threshold."
    )
    percent_off_bps: int | None = strawberry.field(
        default=None, description="What it takes off, basis points: 1000 = pay 90 %."
    )
    price: MoneyInput | None = strawberry.field(
        default=None, description="Price of a unit or bundle."
    )
    skus: Sequence[str] | None = strawberry.field(
        default=None,
        description="Limits it to articles, at most 200. Of a BUNDLE what one bundle holds: 2 to "
        "20, an article as often as it is in it.",
    )
    category_ids: Sequence[str] | None = strawberry.field(
        default=None, description="Limits it to categories, at most 200."
    )
    stock: int | None = strawberry.field(
        default=None,
        description="Units in all, over all versions; never fewer than are held or sold.",
    )
    early_access_rank: int | None = strawberry.field(
        default=None,
        description="Tier rank that may buy early, in any ladder here or of the alliance.",
    )
    early_access_minutes: int | None = strawberry.field(
        default=None, description="How much earlier, minutes."
    )
    members_only: bool | None = strawberry.field(
        default=False, description="Only members have it; MEMBER_PRICE always is."
    )
    stacks_with_member_price: bool | None = strawberry.field(
        default=False,
        description="A member's percentage is taken off its price too (折上折); without it the "
        "better of the two counts.",
    )
    weekdays: Sequence[int] | None = strawberry.field(
        default=None,
        description="Only on these days of the week, 1 is Monday, in the alliance's time zone: "
        "a member day is a promotion for members on its days.",
    )
    month_days: Sequence[int] | None = strawberry.field(
        default=None,
        description="Only on these days of the month, in the alliance's time zone.",
    )

    def amounts(self) -> list[tuple[str, MoneyInput | None]]:
        """Its amounts with their paths, for `currency_problems`."""
        return [("threshold", self.threshold), ("off", self.off), ("price", self.price)]

    def terms(self) -> values.PromotionTerms:
        """The promotion as the rules take it."""
        return values.PromotionTerms(
            title=self.title,
            kind=self.kind,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            threshold_minor=minor_of(self.threshold),
            off_minor=minor_of(self.off),
            percent_off_bps=self.percent_off_bps,
            price_minor=minor_of(self.price),
            skus=None if self.skus is None else tuple(self.skus),
            category_ids=None if self.category_ids is None else tuple(self.category_ids),
            stock=self.stock,
            early_access_rank=self.early_access_rank,
            early_access_minutes=self.early_access_minutes,
            members_only=bool(self.members_only),
            stacks=bool(self.stacks_with_member_price),
            weekdays=None if self.weekdays is None else tuple(self.weekdays),
            month_days=None if self.month_days is None else tuple(self.month_days),
        )
