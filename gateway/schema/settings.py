"""The alliance's settings."""

from __future__ import annotations

from datetime import datetime

import strawberry

from gateway.alliance import settings as alliance_settings
from gateway.alliance.settings import DepositPolicy, PointsExpiry
from gateway.resolvers import settings as resolvers
from gateway.schema.merchants import Merchant
from kernel.graphql import CurrencyCode
from kernel.units import Ratio
from ledger.contract import DebtPolicy

strawberry.enum(
    PointsExpiry,
    description=(
        "How points expire. NONE: never. MONTHS: so many months after they were earned, at the end"
        " of that month. YEAR_END: at the end of a year, but for those earned in its last 90 days,"
        " which live a year longer."
    ),
)
strawberry.enum(
    DebtPolicy,
    description=(
        "What a claw-back does when the member has spent the points. DEBT: the card owes them, and"
        " the next points repay them. WITHIN_BALANCE: the issuer bears them. "
        "DEDUCT_FROM_REFUND_CASH: the merchant keeps their worth of the cash that it would hand "
        "back."
    ),
)
strawberry.enum(
    DepositPolicy,
    description=(
        "Whether net payers of a settlement leave a deposit. OFF: none is asked for. REQUIRED: who"
        " owes more than its deposit covers issues no points until it covers it."
    ),
)


@strawberry.type(description="One version of the alliance's settings.")
class AllianceSettings:
    """One version of the settings."""

    version: int = strawberry.field(description="Counts from 1.")
    effective_from: datetime = strawberry.field(description="In force from then on.")
    merchant: Merchant = strawberry.field(
        resolver=resolvers.settings_merchant,
        description="The alliance as a merchant: its ladders, promotions and coupons. "
        "Absent from `merchants`.",
    )
    currency: CurrencyCode = strawberry.field(
        description="The one currency; fixed once anything was booked."
    )
    time_zone: str = strawberry.field(
        description="IANA time zone that days and periods are counted in."
    )
    earn_points_per_major_unit: int = strawberry.field(
        description="Points earned per whole major unit of cash."
    )
    member_point_value: Ratio = strawberry.field(
        description="What a point takes off a member's order, minor units per point."
    )
    activation_days_store: int = strawberry.field(
        description="Days until points earned in a shop can be spent."
    )
    activation_days_online: int = strawberry.field(
        description="Days until points earned online can be spent."
    )
    expiry: PointsExpiry = strawberry.field(description="How points expire.")
    expiry_months: int | None = strawberry.field(
        description="Months that points live, to the end of the month; null unless `expiry` "
        "is MONTHS."
    )
    debt_policy: DebtPolicy = strawberry.field(
        description="What a claw-back does when the points are gone."
    )
    deposit_policy: DepositPolicy = strawberry.field(
        description="Whether net payers leave a deposit."
    )
    points_cap_bps: int = strawberry.field(
        description="Largest share of an order that points may pay, basis points."
    )

    @classmethod
    def of(cls, settings: alliance_settings.AllianceSettings) -> AllianceSettings:
        """The settings as they are kept."""
        values = settings.values
        return cls(
            version=settings.version,
            effective_from=settings.effective_from,
            currency=CurrencyCode(values.currency),
            time_zone=values.time_zone,
            earn_points_per_major_unit=values.earn_points_per_major_unit,
            member_point_value=values.member_point_value,
            activation_days_store=values.activation_days_store,
            activation_days_online=values.activation_days_online,
            expiry=values.expiry,
            expiry_months=values.expiry_months,
            debt_policy=values.debt_policy,
            deposit_policy=values.deposit_policy,
            points_cap_bps=values.points_cap_bps,
        )
