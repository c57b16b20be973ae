"""Values of a price: cart lines, coupons on offer, decisions, allocations. Money in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAJOR = 100
"""Minor units of one major unit, in every currency of an alliance."""


class CouponKind(StrEnum):
    """What a coupon does."""

    AMOUNT_OFF = "AMOUNT_OFF"
    PERCENT_OFF = "PERCENT_OFF"
    SHIPPING = "SHIPPING"
    GIFT = "GIFT"
    EXCHANGE = "EXCHANGE"


class DecisionKind(StrEnum):
    """What a decision is about."""

    PROMOTION = "PROMOTION"
    MEMBER_PRICE = "MEMBER_PRICE"
    TIER_BENEFIT = "TIER_BENEFIT"
    COUPON = "COUPON"
    POINTS = "POINTS"
    COINS = "COINS"
    SHIPPING = "SHIPPING"
    CAP = "CAP"
    PARITY = "PARITY"


class DecisionOutcome(StrEnum):
    """What became of a candidate benefit."""

    APPLIED = "APPLIED"
    REFUSED = "REFUSED"
    NOT_EVALUATED = "NOT_EVALUATED"


class KeptBackReason(StrEnum):
    """Why a refund keeps something back."""

    COUPON = "COUPON"
    TIER_GIFT = "TIER_GIFT"


class CouponOutcome(StrEnum):
    """What a refund does to the coupons of its order."""

    NONE = "NONE"
    KEPT = "KEPT"
    RETURNED = "RETURNED"
    EXPIRED = "EXPIRED"
    RECHECKED = "RECHECKED"


@dataclass(frozen=True, slots=True)
class KeptBack:
    """What refunds keep back because the rest of an order no longer earns it.

    Attributes:
        cash_minor, coins_minor, points: negative for what an earlier refund kept and one returns.
        reasons: for what, sorted.
    """

    cash_minor: int = 0
    coins_minor: int = 0
    points: int = 0
    reasons: tuple[KeptBackReason, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether it is none of them."""
        return self.cash_minor == self.coins_minor == self.points == 0

    def and_then(self, more: KeptBack) -> KeptBack:
        """Both together."""
        return KeptBack(
            self.cash_minor + more.cash_minor,
            self.coins_minor + more.coins_minor,
            self.points + more.points,
            tuple(sorted({*self.reasons, *more.reasons})),
        )


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of a cart.

    Attributes:
        quantity: 1 to 1 000 000.
        unit_price_minor: public price of one unit, ≥ 0.
        category_id: the merchant's category; None when it has none.
    """

    sku: str
    quantity: int
    unit_price_minor: int
    category_id: str | None = None

    @property
    def list_minor(self) -> int:
        """The line at its public price."""
        return self.quantity * self.unit_price_minor


@dataclass(frozen=True, slots=True)
class GiftZone:
    """Articles of which a coupon gives some: free (GIFT), or at an add-on price (EXCHANGE).

    Attributes:
        skus, category_ids: what is in the zone; at least one of the two.
        pick: units that the member may pick.
        value_minor: most that a unit may cost publicly; None without a limit.
        add_on_minor: what a unit costs with the coupon; 0 for a GIFT.
        excludes_owned: articles that the member bought here before are not given.
    """

    skus: tuple[str, ...] | None = None
    category_ids: tuple[str, ...] | None = None
    pick: int = 1
    value_minor: int | None = None
    add_on_minor: int = 0
    excludes_owned: bool = False


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What a coupon grants, and to which goods and channels; None where there is no limit.

    Attributes:
        amount_minor: what it takes off; of a SHIPPING coupon at most, None for all of it.
        percent_off_bps: what it takes off, basis points; None unless PERCENT_OFF.
        stacking_group: one coupon per group and order; None is the default group.
        funder_alliance_bps: the alliance's share of the cost.
        zone: what it gives; None unless GIFT or EXCHANGE.
    """

    title: str
    kind: CouponKind
    min_spend_minor: int
    amount_minor: int | None = None
    percent_off_bps: int | None = None
    cap_minor: int | None = None
    skus: tuple[str, ...] | None = None
    category_ids: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    stacking_group: str | None = None
    funder_alliance_bps: int = 0
    zone: GiftZone | None = None


@dataclass(frozen=True, slots=True)
class OfferedCoupon:
    """A coupon that its holder may use now.

    Attributes:
        is_rechecked: whether a partial refund has its minimum spend tested again.
    """

    coupon_id: str
    merchant_id: str
    terms: CouponTerms
    is_rechecked: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """One candidate benefit: whether it applied, and why.

    Attributes:
        id: unique within its quote or order; allocations name it. A coupon's is the coupon's id,
            a promotion's the promotion's.
        title: a name that somebody gave; empty when `merchants.wording` names it.
        says: code of its sentence in `merchants.wording`; `facts` are what the sentence tells.
        reason: code in capitals; None when applied.
        amount_minor: what it took off; 0 unless applied.
        blocked_by: id of the decision that excluded it.
        missing_minor: how much more spending would make it apply.
        rule_version: version of the rule that decided; None for points, coins, shipping.
    """

    id: str
    title: str
    kind: DecisionKind
    outcome: DecisionOutcome
    says: str
    amount_minor: int = 0
    reason: str | None = None
    blocked_by: str | None = None
    missing_minor: int | None = None
    rule_version: int | None = None
    facts: tuple[tuple[str, int | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Allocation:
    """The share of one decision that falls on one line; never changes.

    Attributes:
        amount_minor: 0, with no given units, where it is kept only to tell that a coupon covers
            the line.
        given_units: units of the line that a coupon gave; 0 for all other decisions.
        given_minor: what these cost before it; None where it gave none, and in orders of before
            this was kept.
    """

    decision_id: str
    amount_minor: int
    given_units: int = 0
    given_minor: int | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """One line priced: `list_minor == payable_minor + Σ allocations`.

    Attributes:
        points: points spent on this line.
        coins_minor: coins spent on this line.
    """

    index: int
    sku: str
    quantity: int
    list_minor: int
    payable_minor: int
    points: int
    coins_minor: int
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True)
class Redemption:
    """What one coupon cost in one order.

    Attributes:
        amount_minor: what it took off; negative when it was returned.
        funder_alliance_bps: the alliance's share.
        rechecked: terms of another backend's coupon that a partial refund tests again here; None
            for all others.
    """

    coupon_id: str
    amount_minor: int
    funder_alliance_bps: int
    rechecked: CouponTerms | None = None


@dataclass(frozen=True, slots=True)
class StockUnits:
    """Units of a promotion's stock that a price uses; at least 1."""

    promotion_id: str
    units: int


@dataclass(frozen=True, slots=True)
class Priced:
    """A priced cart.

    Attributes:
        version: hash of inputs, rule versions and result; the same result has the same version
            whether the coupons were chosen for the member or named.
        payable_minor: cash to pay, shipping included.
        anonymous_payable_minor: what a stranger would pay now.
        earn_bps: points earned, basis points of the usual.
        coupon_ids: the merchant's coupons that applied, to be locked there.
        alliance_coupon_ids: the alliance's coupons that applied, to be locked there.
        redemptions: what each applied coupon takes off, and who bears it.
        stock: units of promotions with a stock, to be reserved at the merchant.
    """

    version: str
    list_minor: int
    payable_minor: int
    anonymous_payable_minor: int
    points_spent: int
    coins_spent_minor: int
    shipping_minor: int
    points_to_earn: int
    earn_bps: int
    lines: tuple[PricedLine, ...]
    decisions: tuple[Decision, ...]
    coupon_ids: tuple[str, ...]
    alliance_coupon_ids: tuple[str, ...]
    redemptions: tuple[Redemption, ...]
    stock: tuple[StockUnits, ...] = ()
