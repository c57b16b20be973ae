"""What a backend is asked and answers about one sale: part of `merchants.port`.

Amounts are minor units of the alliance's currency. Instants are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kernel.units import Ratio
from merchants.events import Event, OrderFacts
from merchants.offers import CartLine, OfferedCoupon, Priced, StockUnits


@dataclass(frozen=True, slots=True)
class PriceCart:
    """Prices a cart at an instant; nothing is written.

    Attributes:
        channel: kind of point of sale: STORE_POS, WEB_SHOP, MINI_PROGRAM, APP.
        membership_id, card_id: None for an anonymous buyer.
        lines: 1 to 200.
        coupon_ids: coupons to use, the merchant's and the alliance's.
        choose_best: also choose among the member's coupons.
        points, coins_minor: how much to spend, at most.
        points_available, coins_available_minor: what the card can spend now.
        member_point_value: minor units that a point takes off.
        points_cap_bps: largest share of the post-coupon amount that points may pay.
        earn_points_per_major_unit: points per whole major unit of cash.
        alliance_coupons: the alliance's coupons of the card, from `offers`.
        alliance_rank: best rank in the alliance's ladders; 0 for none.
    """

    merchant_id: str
    store_id: str
    channel: str
    at: datetime
    lines: tuple[CartLine, ...]
    member_point_value: Ratio
    points_cap_bps: int
    earn_points_per_major_unit: int
    membership_id: str | None = None
    card_id: str | None = None
    coupon_ids: tuple[str, ...] = ()
    choose_best: bool = True
    shipping_minor: int = 0
    points: int = 0
    coins_minor: int = 0
    points_available: int = 0
    coins_available_minor: int = 0
    alliance_coupons: tuple[OfferedCoupon, ...] = ()
    alliance_rank: int = 0


@dataclass(frozen=True, slots=True)
class LockCoupons:
    """Locks coupons of one backend, and holds stock there, for an attempt; all or none.

    Attributes:
        card_id: None for an anonymous buyer, who has no coupons.
        costs_minor: what each takes off, in the order of `coupon_ids`, for the budgets of their
            templates; empty when not known: then the most that each can take off counts.
        at_merchant_id: whose till asks; None when that is not told.
        stock: `Priced.stock`, what flash sales give.
    """

    merchant_id: str
    attempt_id: str
    store_id: str
    card_id: str | None
    coupon_ids: tuple[str, ...] = ()
    costs_minor: tuple[int, ...] = ()
    at_merchant_id: str | None = None
    stock: tuple[StockUnits, ...] = ()


@dataclass(frozen=True, slots=True)
class Locked:
    """The coupons are locked for the attempt."""

    replayed: bool
    coupon_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """The customer has paid: the sale stands.

    Attributes:
        order_id: id that the order shall have; embeds the merchant.
        order_no: the merchant's number, unique there.
        cart: what was priced.
        version: `Priced.version` that the customer agreed to.
        agreed: the price that `version` names, as it was handed out. The order is booked with it,
            whatever rules and tiers say by now. None: the cart is priced again.
    """

    merchant_id: str
    attempt_id: str
    order_id: str
    order_no: str
    cart: PriceCart
    version: str
    paid_at: datetime
    agreed: Priced | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """The order stands.

    Attributes:
        absorbed_minor: what lost coupons took off, borne by the merchant.
        event: the sale as the outbox tells it.
    """

    replayed: bool
    order: OrderFacts
    absorbed_minor: int
    event: Event


@dataclass(frozen=True, slots=True)
class ReleaseAttempt:
    """Frees what an attempt locked and refuses its later calls."""

    merchant_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Released:
    """The attempt holds nothing here; these coupons are free again."""

    replayed: bool
    coupon_ids: tuple[str, ...]
