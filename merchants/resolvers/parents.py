"""What resolvers need of the objects that they fill."""

from __future__ import annotations

from typing import Protocol

import strawberry


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
