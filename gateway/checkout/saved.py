"""A checkout as it is kept: all that is needed to resume it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter

from gateway.checkout.states import CheckoutState
from kernel.ids import MalformedId, merchant_of
from merchants.offers import Priced
from merchants.port import PriceCart

_CART: TypeAdapter[PriceCart] = TypeAdapter(PriceCart)
_PRICED: TypeAdapter[Priced] = TypeAdapter(Priced)

_BARRED = ("COUPON_LOCKED", "COUPON_REDEEMED", "COUPON_NOT_AVAILABLE")
"""Reasons for which a backend does not apply a coupon that somebody else may have."""


@dataclass(frozen=True, slots=True)
class SavedCheckout:
    """One checkout.

    Attributes:
        opened_by: the request that opened or releases it; None once that has its answer.
        attempt_id: names what is locked and held; another one after a release.
        cart: as it was priced.
        agreed: the price the customer agreed to.
        order_id: chosen up front; the order's own once it stands.
        order_no: the merchant's number, and `paid_at`: None until the customer paid.
        absorbed_minor: what could not be re-acquired after a late capture.
        points_active_at, points_expire_at: lifetime of the points that the order earns.
        lacks_locks: a late capture has yet to take the alliance's coupons anew.
        expires_at: when it is, or was, to be released; told to clients.
    """

    id: str
    state: CheckoutState
    opened_by: str | None
    attempt_id: str
    cart: PriceCart
    agreed: Priced
    order_id: str
    opened_at: datetime
    expires_at: datetime
    order_no: str | None = None
    paid_at: datetime | None = None
    absorbed_minor: int = 0
    points_active_at: datetime | None = None
    points_expire_at: datetime | None = None
    is_extended: bool = False
    lacks_locks: bool = False

    @property
    def merchant_id(self) -> str:
        """Whose sale it is."""
        return self.cart.merchant_id

    @property
    def card_id(self) -> str | None:
        """The buyer's card; None for an anonymous buyer."""
        return self.cart.card_id

    @property
    def holds_funds(self) -> bool:
        """Whether points or coins are held."""
        return self.agreed.points_spent > 0 or self.agreed.coins_spent_minor > 0

    @property
    def barred_coupon_ids(self) -> tuple[str, ...]:
        """Coupons that the customer asked for and another checkout has."""
        return barred_coupons(self.cart, self.agreed)

    @property
    def needs_anything(self) -> bool:
        """Whether anything is to be locked or held anywhere."""
        return self.holds_funds or bool(
            self.agreed.coupon_ids
            or self.agreed.alliance_coupon_ids
            or self.barred_coupon_ids
            or self.agreed.stock
        )

    def takes_from(self, merchant_id: str) -> bool:
        """Whether it takes coupons or stock of this issuer, or tries to."""
        if self.agreed.stock and merchant_id == self.merchant_id:
            return True
        return any(
            issuer_of(coupon_id) == merchant_id
            for coupon_id in (
                *self.agreed.coupon_ids,
                *self.agreed.alliance_coupon_ids,
                *self.barred_coupon_ids,
            )
        )


def issuer_of(coupon_id: str) -> str | None:
    """The merchant that issued a coupon; None when the id is no coupon's."""
    try:
        return merchant_of(coupon_id)
    except MalformedId:
        return None


def barred_coupons(cart: PriceCart, priced: Priced) -> tuple[str, ...]:
    """Coupons named in the cart that another checkout has, or may have.

    Source: docs/rules/checkout.md, rule 7.
    """
    named = set(cart.coupon_ids)
    return tuple(
        decision.id
        for decision in priced.decisions
        if decision.id in named and decision.reason in _BARRED and issuer_of(decision.id)
    )


def cart_json(cart: PriceCart) -> str:
    """The cart as it is kept."""
    return orjson.dumps(cart).decode()


def cart_from(text: str) -> PriceCart:
    """The cart that `cart_json` wrote."""
    return _CART.validate_json(text)


def priced_json(priced: Priced) -> str:
    """The price as it is kept."""
    return orjson.dumps(priced).decode()


def priced_from(text: str) -> Priced:
    """The price that `priced_json` wrote."""
    return _PRICED.validate_json(text)


def priced_as_dict(priced: Priced) -> dict[str, Any]:
    """The price as plain JSON values, for a refusal that tells it."""
    plain = orjson.loads(orjson.dumps(priced))
    assert isinstance(plain, dict)
    return plain


def priced_from_dict(plain: dict[str, Any]) -> Priced:
    """The price that `priced_as_dict` gave."""
    return _PRICED.validate_python(plain)
