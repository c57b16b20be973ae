"""What became of an issuer's points."""

from __future__ import annotations

import strawberry

from kernel.graphql import Long, Money


@strawberry.type(
    description="The points that a merchant issued in one month. `issued` + `returned` is the sum "
    "of `redeemedHere`, `redeemedElsewhere`, `expired`, `takenBack` and `outstanding`."
)
class LiabilityLine:
    """One month of issue."""

    month: str = strawberry.field(
        description="The month in which they were issued, `2026-03`, in the alliance's time zone."
    )
    age_months: int = strawberry.field(description="Months from then to now.")
    issued: Long = strawberry.field(description="Earned by sales.")
    returned: Long = strawberry.field(description="Spent, and given back by a refund.")
    redeemed_here: Long = strawberry.field(description="Spent at the merchant itself.")
    redeemed_elsewhere: Long = strawberry.field(description="Spent at other merchants.")
    expired: Long = strawberry.field(description="Expired.")
    taken_back: Long = strawberry.field(description="Taken back by refunds, or to repay debts.")
    outstanding: Long = strawberry.field(description="Live, held ones included.")
    outstanding_funding: Money = strawberry.field(
        description="What the pool keeps for the live ones."
    )


@strawberry.type(description="What became of the points that a merchant issued.")
class Liability:
    """An issuer's points."""

    expected_redemption_bps: int = strawberry.field(
        description="The share that is expected to be redeemed, basis points: what was redeemed of "
        "all that was redeemed or expired so far; 10000 until any was."
    )
    lines: list[LiabilityLine] = strawberry.field(
        description="One for each month of issue, the oldest first."
    )
