"""Every "no" of a checkout that neither a backend nor the ledger gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kernel.refusals import Refusal, add_chinese


@dataclass(eq=False)
class QuoteStale(Refusal):
    """The cart costs something else now: look at `quote`, and send its `quoteVersion` to agree.

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


add_chinese(
    {
        "CHECKOUT_CLOSED": "该结账已完成或已释放。",
        "EXTENSION_USED": "每次结账只能延长一次。",
        "QUOTE_STALE": "购物车价格已变化，请按新报价确认。",
    }
)
