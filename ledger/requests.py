"""What the ledger is asked and answers, as plain values: part of a contract.

Amounts are whole: points, and minor units of the alliance's currency. Instants are aware UTC.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kernel.values import value

GRANT_BUDGET_MINOR = 10_000_000
"""Coins that one funder may grant in one clearing period, unless the operator says otherwise."""


class DebtPolicy(StrEnum):
    """What becomes of clawed-back points that a card no longer has."""

    DEBT = "DEBT"
    """The card owes them; the next points repay them."""
    WITHIN_BALANCE = "WITHIN_BALANCE"
    """The issuer bears them."""
    DEDUCT_FROM_REFUND_CASH = "DEDUCT_FROM_REFUND_CASH"
    """The merchant keeps their worth of the cash it would hand back."""


@value
class LedgerSettings:
    """What the ledger needs to know of the alliance's settings, now.

    Attributes:
        currency: ISO 4217 code.
        time_zone: IANA name; days and clearing periods begin and end by it.
        debt_policy: what becomes of a shortfall.
        alliance_merchant_id: the merchant id of the alliance itself; it settles with no one.
        grant_budget_minor: coins that one funder may grant in one clearing period.
        deposits_required: whether a merchant's sales earn points only while its deposit covers
            what it owes.
    """

    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    debt_policy: DebtPolicy = DebtPolicy.DEBT
    alliance_merchant_id: str | None = None
    grant_budget_minor: int = GRANT_BUDGET_MINOR
    deposits_required: bool = False


@value
class HoldFunds:
    """Holds points and coins of a card for one checkout. Known by `attempt_id`.

    Attributes:
        attempt_id: the checkout's attempt.
        merchant_id: where they are to be spent.
        points: ≥ 0.
        coins_minor: ≥ 0.
        now: decides what is spendable; a repeat may carry another one.
    """

    attempt_id: str
    card_id: str
    merchant_id: str
    points: int
    coins_minor: int
    now: datetime


@value
class FundsHeld:
    """The funds are held until the attempt is captured or released."""

    attempt_id: str
    points: int
    coins_minor: int
    replayed: bool = False


@value
class ReleaseFunds:
    """Frees what an attempt holds, and refuses it for ever. Known by `attempt_id`.

    An attempt without a hold may be released: a hold that arrives later is refused.
    """

    attempt_id: str
    card_id: str
    now: datetime


@value
class FundsReleased:
    """What became free; both 0 when nothing was held, or when it had been captured."""

    attempt_id: str
    points: int
    coins_minor: int
    replayed: bool = False


@value
class CouponRedemption:
    """What one coupon took off an order, and the alliance's share of it.

    Attributes:
        amount_minor: ≥ 0.
        funder_alliance_bps: basis points of the amount that the alliance bears.
    """

    coupon_id: str
    amount_minor: int
    funder_alliance_bps: int


@value
class CaptureOrder:
    """Books a paid order: burns, earns, settles. Known by `order_id`; never refused.

    Attributes:
        order_id: the order; embeds no lane, names it everywhere.
        order_no: the merchant's number, for histories and statements.
        card_id: None for an anonymous buyer, who spends and earns nothing.
        attempt_id: whose hold is captured; None when nothing was held.
        points_spent: points that the order took as payment, ≥ 0.
        coins_spent_minor: coins that it took as payment, ≥ 0.
        points_earned: ≥ 0.
        at: when it was paid; decides the clearing period and the settlement rule.
        active_at: from when the earned points can be spent; a repeat may carry another one.
        expires_at: from when they can not be any more, None for never; likewise.
        redemptions: the coupons it redeemed.
    """

    order_id: str
    order_no: str
    merchant_id: str
    card_id: str | None
    attempt_id: str | None
    points_spent: int
    coins_spent_minor: int
    points_earned: int
    at: datetime
    active_at: datetime
    expires_at: datetime | None
    redemptions: tuple[CouponRedemption, ...] = ()


@value
class OrderReceipt:
    """What an order did.

    `points_burned + points_absorbed` is what the order spent; for coins likewise.

    Attributes:
        points_absorbed: spent points that the card no longer had; the merchant bears them.
        coins_absorbed_minor: the same for coins.
        points_earned: issued, those that repaid a debt included.
        debt_repaid: points that repaid a debt at once.
    """

    order_id: str
    points_burned: int
    coins_burned_minor: int
    points_absorbed: int
    coins_absorbed_minor: int
    points_earned: int
    debt_repaid: int
    replayed: bool = False


@value
class ApplyRefund:
    """Books a refund. Known by `order_id` and `refund_no`; never refused once the order is known.

    Attributes:
        merchant_id: the order's merchant.
        card_id: the order's card; None for an anonymous buyer.
        points_returned: of the points that the order took, those that this refund gives back.
        coins_returned_minor: the same for coins.
        points_kept: earned points that the order keeps after this refund, in total.
        at: when it was refunded; decides the clearing period.
        redemptions_returned: coupons that the member gets back, amounts as they were redeemed.
    """

    order_id: str
    refund_no: str
    merchant_id: str
    card_id: str | None
    points_returned: int
    coins_returned_minor: int
    points_kept: int
    at: datetime
    redemptions_returned: tuple[CouponRedemption, ...] = ()


@value
class RefundReceipt:
    """What a refund did, or would do.

    Attributes:
        points_clawed_back: earned points taken back, debt included.
        debt_created: part of `points_clawed_back` that the card now owes.
        points_shortfall: points that were to be taken back, and are neither found nor owed,
            because the debt policy is not DEBT.
        shortfall_before: the same of the order's earlier refunds together.
        points_returned: spent points that the card got back; less than asked when the order's
            merchant had absorbed some.
        coins_returned_minor: the same for coins.
        debt_repaid: returned points that repaid a debt at once.
    """

    order_id: str
    points_clawed_back: int
    debt_created: int
    points_shortfall: int
    points_returned: int
    coins_returned_minor: int
    debt_repaid: int
    replayed: bool = False
    shortfall_before: int = 0


@value
class GrantCoins:
    """Gives coins to a card at a funder's cost. Known by `grant_key`.

    Attributes:
        grant_key: chosen by the caller, unique for ever.
        funder_merchant_id: who pays; None for the alliance.
        amount_minor: > 0.
        reason: for the journal.
        expires_at: None for never.
    """

    grant_key: str
    card_id: str
    funder_merchant_id: str | None
    amount_minor: int
    reason: str
    at: datetime
    expires_at: datetime | None = None


@value
class CoinsReceipt:
    """The coins are on the card."""

    card_id: str
    amount_minor: int
    replayed: bool = False


@value
class CardStanding:
    """What a card has; every figure is ≥ 0.

    Attributes:
        available: points that are active, unexpired and not held.
        held: points held by open checkouts.
        pending: points earned and not yet active.
        debt: points owed; while it is over 0, `available` is 0.
        coins_available: coins that are unexpired and not held, minor units.
        coins_held: coins held by open checkouts, minor units.
    """

    card_id: str
    available: int
    held: int
    pending: int
    debt: int
    coins_available: int
    coins_held: int
