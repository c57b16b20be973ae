"""What the rules of the ledger read and decide: plain values, no tables.

Instants are microseconds since 1970-01-01T00:00Z, as `kernel.clock.to_micros` counts them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from kernel.units import Ratio
from kernel.values import value

NEVER = 2**62
"""An instant that does not come: when a lot that never expires expires."""

ALLIANCE = "ALLIANCE"
"""The party that takes fees and its share of breakage."""

POOL = "POOL"
"""The party that backs live points and coins."""


LANES = "LANES"
"""The party through which funding goes from one lane to another; over all lanes it has nothing."""


class Asset(StrEnum):
    """What is counted; every event sums to zero in each."""

    POINTS = "POINTS"
    COINS = "COINS"
    SETTLEMENT = "SETTLEMENT"


POINTS: Final = Asset.POINTS
COINS: Final = Asset.COINS
"""A busy path names the members that it needs once: asking an Enum class for one runs its
`__getattr__` hook, which takes twenty times as long as a name of the module."""


class TxKind(StrEnum):
    """What an event was."""

    ORDER = "ORDER"
    REFUND = "REFUND"
    RELEASE = "RELEASE"
    GRANT = "GRANT"
    EXPIRY = "EXPIRY"
    MERGE = "MERGE"
    FORFEIT = "FORFEIT"
    ADJUSTMENT = "ADJUSTMENT"


class CardEntryKind(StrEnum):
    """What happened on a card."""

    EARN = "EARN"
    BURN = "BURN"
    RETURN = "RETURN"
    CLAW_BACK = "CLAW_BACK"
    DEBT_REPAYMENT = "DEBT_REPAYMENT"
    EXPIRY = "EXPIRY"
    GRANT = "GRANT"
    COINS_SPENT = "COINS_SPENT"
    COINS_RETURNED = "COINS_RETURNED"
    MERGE = "MERGE"
    ADJUSTMENT = "ADJUSTMENT"


class SettlementKind(StrEnum):
    """Why money moves between a merchant and the alliance."""

    ISSUE = "ISSUE"
    ISSUE_FEE = "ISSUE_FEE"
    BURN = "BURN"
    REDEEM_FEE = "REDEEM_FEE"
    RETURN = "RETURN"
    CLAW_BACK = "CLAW_BACK"
    DEBT_REPAYMENT = "DEBT_REPAYMENT"
    EXPIRY = "EXPIRY"
    COUPON = "COUPON"
    COINS_ISSUE = "COINS_ISSUE"
    COINS_BURN = "COINS_BURN"
    COINS_RETURN = "COINS_RETURN"
    ADJUSTMENT = "ADJUSTMENT"


class HoldState(StrEnum):
    """Where an attempt stands; the last two are final."""

    HELD = "HELD"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"


@value
class RuleTerms:
    """The prices and fees that merchants settle at, without name or date."""

    issue_price: Ratio = Ratio(1, 1)
    redeem_price: Ratio = Ratio(1, 1)
    issue_fee_bps: int = 500
    redeem_fee_bps: int = 200
    breakage_issuer_bps: int = 5_000


@value
class SettlementRule:
    """One version of the terms."""

    version: int
    terms: RuleTerms


@value
class Lot:
    """Points or coins that came to a card together. `0 <= held <= remaining <= original`.

    Attributes:
        id: grows with every lot made.
        issuer_id: the merchant that funded it, or ALLIANCE.
        funding_minor: what the issuer paid into the pool for all of it.
        order_id: the order that earned it; None for others.
    """

    id: int
    asset: Asset
    issuer_id: str
    funding_minor: int
    original: int
    remaining: int
    held: int
    active_at: int
    expires_at: int
    order_id: str | None = None

    @property
    def free(self) -> int:
        """What no checkout holds."""
        return self.remaining - self.held


@value
class Part:
    """Some of a lot."""

    lot_id: int
    amount: int


@value
class Burn:
    """What an order took of one lot.

    Attributes:
        seq: counts the parts of an order from 0, in the order they were taken.
        funding_minor: what the pool released for it.
        returned: how much of `amount` refunds gave back.
    """

    order_id: str
    seq: int
    lot_id: int
    asset: Asset
    amount: int
    funding_minor: int
    returned: int = 0


@value
class Spending:
    """What an order took of one asset, and what its merchant was paid for it.

    Attributes:
        asked: what the order took as payment.
        burned: what of it the card had.
        gross_minor: paid to the merchant before the fee.
        fee_minor: fee on that.
        returned: of `asked`, given back by refunds, in total.
        restored: of `burned`, given back by refunds, in total.
    """

    asked: int = 0
    burned: int = 0
    gross_minor: int = 0
    fee_minor: int = 0
    returned: int = 0
    restored: int = 0


@value
class OrderState:
    """What the ledger remembers of an order.

    Attributes:
        rule_version: the rule that priced it.
        earned: points it issued.
        issue_fee_minor: the issuer's fee on them.
        reversed: of `earned`, taken back by refunds in total: found, owed, or given up.
        recovered: of `reversed`, those that were found, or repaid later.
        coupon_minor: the alliance's share of its coupons.
        coupon_returned_minor: of that, taken back by refunds.
    """

    order_id: str
    order_no: str
    merchant_id: str
    card_id: str | None
    rule_version: int
    points: Spending
    coins: Spending
    earned: int
    issue_fee_minor: int
    lot_id: int | None
    reversed: int = 0
    recovered: int = 0
    coupon_minor: int = 0
    coupon_returned_minor: int = 0


@value
class Debt:
    """Points owed for a refunded order.

    Attributes:
        id: grows with every debt made.
        open: what is still owed.
        order: the order whose points are owed.
    """

    id: int
    open: int
    order: OrderState


@value
class State:
    """What one request needs to know.

    Attributes:
        rule: in force when the event took place.
        lots: those that the request may touch.
        debts: the card's open debts, oldest first.
        held: parts that the attempt holds, in the order they were picked.
        order: the refunded order.
        burns: what that order took, in the order it was taken.
    """

    rule: SettlementRule
    next_lot_id: int
    next_debt_id: int
    lots: tuple[Lot, ...] = ()
    debts: tuple[Debt, ...] = ()
    held: tuple[Part, ...] = ()
    order: OrderState | None = None
    burns: tuple[Burn, ...] = ()
