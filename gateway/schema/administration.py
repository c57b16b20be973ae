"""What admins change: settings, merchants, stores."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.alliance.settings import DepositPolicy, PointsExpiry
from gateway.directory.entries import BackendKind, MerchantState
from gateway.schema.inputs import REPLAYED
from gateway.schema.merchants import Merchant, Store
from gateway.schema.refusals import (
    BackendUnfitRefusal,
    MerchantNotActiveRefusal,
    ReferenceTakenRefusal,
)
from gateway.schema.settings import AllianceSettings
from kernel.graphql import (
    REQUEST_ID,
    ChannelKind,
    CurrencyCode,
    InvalidInputRefusal,
    NotFoundRefusal,
    RequestIdReusedRefusal,
    RequestInProgressRefusal,
)
from kernel.units import Ratio
from ledger.contract import DebtPolicy


@strawberry.input(description="Input of `configureAlliance`.")
class ConfigureAllianceInput:
    """Every setting; none is kept from the version before."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    currency: CurrencyCode = strawberry.field(description="The one currency.")
    time_zone: str = strawberry.field(description="IANA time zone.")
    earn_points_per_major_unit: int = strawberry.field(
        description="Points per whole major unit of cash."
    )
    member_point_value: Ratio = strawberry.field(description="Minor units a point takes off.")
    activation_days_store: int = strawberry.field(
        description="Days until shop points can be spent."
    )
    activation_days_online: int = strawberry.field(
        description="Days until online points can be spent."
    )
    expiry: PointsExpiry = strawberry.field(description="How points expire.")
    expiry_months: int | None = strawberry.field(
        default=strawberry.UNSET, description="Needed when `expiry` is MONTHS."
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


@strawberry.type(description="The settings have a new version.")
class AllianceConfigured:
    """Success of `configureAlliance`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    settings: AllianceSettings = strawberry.field(description="The new version.")


ConfigureAllianceResult = Annotated[
    AllianceConfigured | InvalidInputRefusal | RequestIdReusedRefusal | RequestInProgressRefusal,
    strawberry.union("ConfigureAllianceResult", description="Answer of `configureAlliance`."),
]


@strawberry.input(description="Where a merchant's data lives.")
class BackendInput:
    """A backend to be."""

    kind: BackendKind = strawberry.field(
        description="HOSTED: its data lives here. REMOTE: on a server of its own, which this "
        "gateway does not reach yet: it answers BACKEND_UNFIT."
    )
    endpoint: str | None = strawberry.field(
        default=strawberry.UNSET, description="URL; needed when REMOTE."
    )


@strawberry.input(description="Input of `admitMerchant`.")
class AdmitMerchantInput:
    """A merchant to be."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    reference: str = strawberry.field(description="The alliance's own number, unique.")
    name: str = strawberry.field(description="Name.")
    name_en: str | None = strawberry.field(default=strawberry.UNSET, description="English name.")
    backend: BackendInput = strawberry.field(description="Where its data lives.")


@strawberry.type(description="The merchant is in the alliance.")
class MerchantAdmitted:
    """Success of `admitMerchant`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    merchant: Merchant = strawberry.field(description="The merchant, read now.")


AdmitMerchantResult = Annotated[
    MerchantAdmitted
    | BackendUnfitRefusal
    | ReferenceTakenRefusal
    | InvalidInputRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("AdmitMerchantResult", description="Answer of `admitMerchant`."),
]


@strawberry.input(description="Input of `openStore`.")
class OpenStoreInput:
    """A store to be."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    reference: str = strawberry.field(description="The merchant's own number, unique there.")
    name: str = strawberry.field(description="Name.")
    channel: ChannelKind = strawberry.field(description="Kind of point of sale.")


@strawberry.type(description="The store is open.")
class StoreOpened:
    """Success of `openStore`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    store: Store = strawberry.field(description="The store, read now.")


OpenStoreResult = Annotated[
    StoreOpened
    | ReferenceTakenRefusal
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("OpenStoreResult", description="Answer of `openStore`."),
]


@strawberry.input(description="Input of `changeMerchantState`.")
class ChangeMerchantStateInput:
    """A merchant's state to be."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    state: MerchantState = strawberry.field(
        description="SUSPENDED from ACTIVE, ACTIVE from SUSPENDED, WINDING_DOWN from either, and "
        "LEFT from WINDING_DOWN once `redeemUntil` has come."
    )
    redeem_until: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="Given exactly for WINDING_DOWN: from then on the merchant sells to no "
        "member, and its own coupons end. 30 to 366 days from now.",
    )


@strawberry.type(description="The merchant is in the state.")
class MerchantStateChanged:
    """Success of `changeMerchantState`."""

    replayed: bool = strawberry.field(description=REPLAYED)
    merchant: Merchant = strawberry.field(description="The merchant, read now.")


ChangeMerchantStateResult = Annotated[
    MerchantStateChanged
    | MerchantNotActiveRefusal
    | InvalidInputRefusal
    | NotFoundRefusal
    | RequestIdReusedRefusal
    | RequestInProgressRefusal,
    strawberry.union("ChangeMerchantStateResult", description="Answer of `changeMerchantState`."),
]
