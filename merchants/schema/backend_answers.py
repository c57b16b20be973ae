"""Answers of the backend contract; never part of the public API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import strawberry

from kernel.graphql import InvalidInputRefusal, Long, Money, NotFoundRefusal
from merchants import offers, port
from merchants.schema.coupon_refusals import BackendBudgetSpentRefusal
from merchants.schema.coupons import Coupon
from merchants.schema.enums import CouponOutcome
from merchants.schema.kept_back import KEPT_BACK, KeptBack
from merchants.schema.offers import BenefitDecision, PricedLine
from merchants.schema.orders import Order
from merchants.schema.refusals import (
    BackendAttemptReleasedRefusal,
    BackendSoldOutRefusal,
    CouponTakenRefusal,
    MerchantNotActiveRefusal,
    OrderConflictRefusal,
    RefundConflictRefusal,
)
from merchants.schema.shared_refusals import RefundExceedsOrderRefusal
from merchants.schema.tiers import TierStanding

_REPLAYED = "Whether this answers a repeat of an earlier request."


@strawberry.federation.type(
    inaccessible=True, description="Units of a promotion's stock that a price uses."
)
class BackendStock:
    """Units of a promotion's stock."""

    promotion_id: strawberry.ID = strawberry.field(description="The promotion.")
    units: int = strawberry.field(description="Units, at least 1.")


@strawberry.federation.type(inaccessible=True, description="A priced cart.")
class BackendPriced:
    """A priced cart."""

    version: str = strawberry.field(description="Hash of inputs, rule versions and result.")
    list: Money = strawberry.field(description="Sum of the lines at public unit prices.")
    payable: Money = strawberry.field(description="Cash to pay, shipping included.")
    anonymous_payable: Money = strawberry.field(description="What a stranger would pay now.")
    points_spent: Long = strawberry.field(description="Points spent.")
    coins_spent: Money = strawberry.field(description="Coins spent.")
    points_to_earn: Long = strawberry.field(description="Points the order will earn.")
    lines: Sequence[PricedLine] = strawberry.field(description="Lines in cart order.")
    decisions: Sequence[BenefitDecision] = strawberry.field(description="Every benefit considered.")
    coupon_ids: Sequence[strawberry.ID] = strawberry.field(
        description="The merchant's coupons that applied, to be locked here."
    )
    alliance_coupon_ids: Sequence[strawberry.ID] = strawberry.field(
        description="The alliance's coupons that applied, to be locked there."
    )
    stock: Sequence[BackendStock] = strawberry.field(
        description="Units of flash sales, to be held here."
    )

    @classmethod
    def of(cls, priced: offers.Priced, currency: str, language: str) -> BackendPriced:
        """The GraphQL object of a price."""
        return cls(
            version=priced.version,
            list=Money.of(priced.list_minor, currency),
            payable=Money.of(priced.payable_minor, currency),
            anonymous_payable=Money.of(priced.anonymous_payable_minor, currency),
            points_spent=Long(priced.points_spent),
            coins_spent=Money.of(priced.coins_spent_minor, currency),
            points_to_earn=Long(priced.points_to_earn),
            lines=[PricedLine.of(line, currency) for line in priced.lines],
            decisions=[BenefitDecision.of(each, currency, language) for each in priced.decisions],
            coupon_ids=[strawberry.ID(each) for each in priced.coupon_ids],
            alliance_coupon_ids=[strawberry.ID(each) for each in priced.alliance_coupon_ids],
            stock=[
                BackendStock(promotion_id=strawberry.ID(each.promotion_id), units=each.units)
                for each in priced.stock
            ],
        )


@strawberry.federation.type(
    inaccessible=True, description="What a refund does, as far as the backend knows."
)
class BackendRefundTerms:
    """What a refund does."""

    cash: Money = strawberry.field(description="Cash to hand back.")
    points_returned: Long = strawberry.field(description="Spent points that return.")
    coins_returned: Money = strawberry.field(description="Spent coins that return.")
    points_kept: Long = strawberry.field(
        description="Points the order keeps earned after all its refunds."
    )
    coupon_outcome: CouponOutcome = strawberry.field(description="What happens to the coupons.")
    kept_back: KeptBack | None = strawberry.field(description=KEPT_BACK)

    @classmethod
    def of(cls, terms: port.RefundTerms, currency: str) -> BackendRefundTerms:
        """The GraphQL object of refund terms."""
        return cls(
            cash=Money.of(terms.cash_minor, currency),
            points_returned=Long(terms.points_returned),
            coins_returned=Money.of(terms.coins_returned_minor, currency),
            points_kept=Long(terms.points_kept),
            coupon_outcome=terms.coupon_outcome,
            kept_back=KeptBack.of(terms.kept_back, currency),
        )


@strawberry.federation.type(
    inaccessible=True,
    description="What the alliance's own backend brings into a price elsewhere.",
)
class BackendOffers:
    """What a backend offers elsewhere."""

    coupons: Sequence[Coupon] = strawberry.field(description="Coupons that are ISSUED.")
    tiers: Sequence[TierStanding] = strawberry.field(
        description="Standings in the alliance's ladders."
    )


@strawberry.federation.type(inaccessible=True, description="The member has a wallet here.")
class BackendJoined:
    """The member has a wallet here."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupons: Sequence[Coupon] = strawberry.field(description="Coupons given for joining.")


@strawberry.federation.type(
    inaccessible=True, description="The coupons are locked for the attempt."
)
class BackendLocked:
    """The coupons are locked."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupons: Sequence[Coupon] = strawberry.field(description="Those coupons.")


@strawberry.federation.type(inaccessible=True, description="The order stands.")
class BackendPlaced:
    """The order stands."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    order: Order = strawberry.field(description="The order.")
    absorbed: Money = strawberry.field(
        description="What could not be re-acquired, borne by the merchant."
    )


@strawberry.federation.type(inaccessible=True, description="The attempt holds nothing here.")
class BackendReleased:
    """The attempt holds nothing here."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupon_ids: Sequence[strawberry.ID] = strawberry.field(
        description="Coupons that are free again."
    )


@strawberry.federation.type(inaccessible=True, description="The refund stands.")
class BackendRefunded:
    """The refund stands."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    terms: BackendRefundTerms = strawberry.field(description="What it did.")
    order: Order = strawberry.field(description="The order afterwards.")


@strawberry.federation.type(inaccessible=True, description="The wallets are one, or would be.")
class BackendMerged:
    """The wallets are one."""

    replayed: bool = strawberry.field(description=_REPLAYED)
    coupons_moved: int = strawberry.field(description="Coupons that change hands.")
    paid_refunds: Money = strawberry.field(
        description="In a preview, what of paid memberships would be refunded; else zero."
    )
    conflicts: Sequence[str] = strawberry.field(description="What stops it, codes in capitals.")


@strawberry.federation.type(
    inaccessible=True, description="The alliance's backend knows of the event."
)
class BackendRecorded:
    """The alliance's backend knows."""

    replayed: bool = strawberry.field(description=_REPLAYED)


BackendPriceResult = Annotated[
    BackendPriced | InvalidInputRefusal | NotFoundRefusal,
    strawberry.federation.union(
        "BackendPriceResult", inaccessible=True, description="Answer of `backendPrice`."
    ),
]
BackendRefundTermsResult = Annotated[
    BackendRefundTerms | RefundExceedsOrderRefusal | InvalidInputRefusal | NotFoundRefusal,
    strawberry.federation.union(
        "BackendRefundTermsResult",
        inaccessible=True,
        description="Answer of `backendRefundTerms`.",
    ),
]
BackendJoinResult = Annotated[
    BackendJoined | MerchantNotActiveRefusal | InvalidInputRefusal,
    strawberry.federation.union(
        "BackendJoinResult", inaccessible=True, description="Answer of `backendJoin`."
    ),
]
BackendLockResult = Annotated[
    BackendLocked
    | BackendAttemptReleasedRefusal
    | BackendBudgetSpentRefusal
    | BackendSoldOutRefusal
    | CouponTakenRefusal
    | NotFoundRefusal,
    strawberry.federation.union(
        "BackendLockResult", inaccessible=True, description="Answer of `backendLock`."
    ),
]
BackendPlaceResult = Annotated[
    BackendPlaced | BackendAttemptReleasedRefusal | OrderConflictRefusal | InvalidInputRefusal,
    strawberry.federation.union(
        "BackendPlaceResult", inaccessible=True, description="Answer of `backendPlace`."
    ),
]
BackendReleaseResult = Annotated[
    BackendReleased | OrderConflictRefusal,
    strawberry.federation.union(
        "BackendReleaseResult", inaccessible=True, description="Answer of `backendRelease`."
    ),
]
BackendRefundResult = Annotated[
    BackendRefunded
    | RefundExceedsOrderRefusal
    | RefundConflictRefusal
    | InvalidInputRefusal
    | NotFoundRefusal,
    strawberry.federation.union(
        "BackendRefundResult", inaccessible=True, description="Answer of `backendRefund`."
    ),
]
BackendMergeResult = Annotated[
    BackendMerged | InvalidInputRefusal,
    strawberry.federation.union(
        "BackendMergeResult", inaccessible=True, description="Answer of `backendMerge`."
    ),
]
BackendRecordResult = Annotated[
    BackendRecorded | InvalidInputRefusal,
    strawberry.federation.union(
        "BackendRecordResult", inaccessible=True, description="Answer of `backendRecord`."
    ),
]
