"""A priced sale and its refunds, as a backend makes them: rechecked coupons and gifts included."""

from __future__ import annotations

from dataclasses import replace

from merchants.offers import KeptBack, Priced
from merchants.port import RefundLine
from merchants.sales.rechecking import (
    Rechecked,
    RecheckedCoupon,
    given_gifts,
    ids_of_gifts,
    keeping_back,
    with_recheck,
)
from merchants.sales.refunding import (
    PaidOrder,
    RefundShares,
    refund_amount,
    refund_lines,
    refundable_minor,
)


class Sold:
    """A sale, and its refunds so far.

    Attributes:
        kept: what all refunds so far kept back.
    """

    def __init__(self, priced: Priced, *coupons: RecheckedCoupon) -> None:
        self.decisions, self.coupons = priced.decisions, coupons
        self.kept = KeptBack()
        self.order = PaidOrder(
            priced.lines,
            (),
            priced.shipping_minor,
            0,
            1,
            priced.earn_bps,
            "CNY",
            ids_of_gifts(priced.decisions),
        )

    @property
    def refundable_minor(self) -> int:
        """Cash that a price adjustment may still name."""
        return refundable_minor(self.order)

    def back(self, *lines: tuple[int, int]) -> RefundShares:
        """Units of lines come back."""
        return self.recheck(*lines).shares

    def recheck(self, *lines: tuple[int, int]) -> Rechecked:
        """The same, with the coupons that it undoes."""
        done = with_recheck(
            refund_lines(self.order, [RefundLine(*each) for each in lines]),
            self.order,
            [*self.coupons, *given_gifts(self.decisions)],
            self.decisions,
            before=self.kept,
        )
        self._book(done.shares)
        return done

    def less(self, amount_minor: int) -> RefundShares:
        """A price adjustment."""
        shares = refund_amount(self.order, amount_minor)
        shares = keeping_back(shares, self.order, before=self.kept)
        self._book(shares)
        return shares

    def _book(self, shares: RefundShares) -> None:
        self.kept = self.kept.and_then(shares.kept_back)
        self.order = replace(
            self.order,
            refunded=(*self.order.refunded, *shares.lines),
            shipping_refunded_minor=self.order.shipping_refunded_minor + shares.shipping_minor,
        )
