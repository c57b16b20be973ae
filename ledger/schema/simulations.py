"""What a simulation of settlement terms takes and answers."""

from __future__ import annotations

import strawberry

from kernel.graphql import Money
from kernel.units import Ratio
from ledger.schema.periods import Merchant


@strawberry.type(description="What one merchant settled, and would have settled at other terms.")
class SimulatedMerchant:
    """One merchant of a simulation."""

    merchant: Merchant = strawberry.field(description="The merchant.")
    actual: Money = strawberry.field(
        description="What it settled, coupons aside: + receives, − pays."
    )
    simulated: Money = strawberry.field(description="What it would have settled.")
    difference: Money = strawberry.field(description="`simulated` less `actual`.")


@strawberry.type(description="What the events of a time would have settled at other terms.")
class SettlementSimulation:
    """A simulation; its differences sum to zero."""

    merchants: list[SimulatedMerchant] = strawberry.field(
        description="One per merchant that settled anything, by merchant id."
    )
    alliance_difference: Money = strawberry.field(
        description="What the alliance would have received beside what it did."
    )
    pool_difference: Money = strawberry.field(
        description="What the pool would hold beside what it does."
    )


@strawberry.input(description="Terms of a settlement rule, for a simulation.")
class SettlementTermsInput:
    """Terms of a settlement rule."""

    issue_price: Ratio = strawberry.field(
        description="Minor units per point an issuer pays; over 0, at most 1000000."
    )
    redeem_price: Ratio = strawberry.field(
        description="Minor units per point a redeemer is paid; over 0, at most 1000000."
    )
    issue_fee_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
    redeem_fee_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
    breakage_issuer_bps: int = strawberry.field(description="Basis points, 0 to 10000.")
