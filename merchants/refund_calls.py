"""What a backend is asked and answers about refunds: part of `merchants.port`.

Amounts are minor units of the alliance's currency.
"""

from __future__ import annotations

from dataclasses import dataclass

from merchants.events import Event, OrderFacts
from merchants.offers import CouponOutcome, KeptBack


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of one line to refund: at least 1, at most what is left."""

    line_index: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund: of lines, or of an amount (a price adjustment, cash only), never both.

    Attributes:
        refund_no: the merchant's number, unique in the order; None in a preview.
    """

    merchant_id: str
    order_id: str
    refund_no: str | None = None
    lines: tuple[RefundLine, ...] = ()
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """What a refund does, as far as the backend knows.

    Attributes:
        cash_minor: cash to hand back.
        points_returned, coins_returned_minor: of what was spent.
        points_kept: points the order keeps earned after all its refunds.
    """

    cash_minor: int
    points_returned: int
    coins_returned_minor: int
    points_kept: int
    coupon_outcome: CouponOutcome
    kept_back: KeptBack = KeptBack()


@dataclass(frozen=True, slots=True)
class Refunded:
    """The refund stands; `event` is the refund as the outbox tells it."""

    replayed: bool
    terms: RefundTerms
    order: OrderFacts
    event: Event
