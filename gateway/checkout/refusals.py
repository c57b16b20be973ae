"""Every "no" of a checkout that neither a backend nor the ledger gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kernel.refusals import Refusal


@dataclass(eq=False)
class QuoteStale(Refusal):
    """The cart costs something else now.

    Attributes:
        priced: the cart as it is priced now, from `saved.priced_as_dict`.
    """

    priced: dict[str, Any]
    currency: str


@dataclass(eq=False)
class CheckoutClosed(Refusal):
    """The checkout was already decided."""

    checkout_id: str


@dataclass(eq=False)
class ExtensionUsed(Refusal):
    """A checkout is extended only once."""

    checkout_id: str
