"""What resolvers need of the objects that they fill."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import strawberry

from merchants.keys_sql import Key


class KnownById(Protocol):
    """A thing whose id says all."""

    id: strawberry.ID


class MerchantsOwn(Protocol):
    """A thing that a merchant holds: its key says which one."""

    id: strawberry.ID
    merchant_id: strawberry.ID


class CardWallet(Protocol):
    """What one card has at one merchant; whoever made it checked that the caller may see it."""

    merchant_id: str
    card_id: str


class OneStanding(Protocol):
    """Where a card stands in one ladder; `key` is the merchant's and the card's id."""

    key: Key
    ladder: str


class OneEvaluation(Protocol):
    """One evaluation of a tier; `key` is the merchant's and the card's id."""

    key: Key
    at: datetime
    window_from: datetime | None
