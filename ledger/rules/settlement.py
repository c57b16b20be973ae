"""Which settlement legs an event posts. Pure; the legs of each function sum to zero.

Sign: + receives, − pays.
"""

from __future__ import annotations

from typing import Final

from kernel.units import WHOLE_BP, reversed_share, share_bp
from kernel.values import value
from ledger.rules.state import ALLIANCE, POOL, OrderState, RuleTerms, SettlementKind, Spending

_ISSUE_FEE: Final = SettlementKind.ISSUE_FEE
_REDEEM_FEE: Final = SettlementKind.REDEEM_FEE


@value
class Leg:
    """Money of one party in one event.

    Attributes:
        party: a merchant's id, ALLIANCE or POOL.
        amount_minor: + receives, − pays.
        points: points moved, signed as `amount_minor`; 0 for kinds without points.
        rule_version: the rule that priced it.
        order_no: the number of the party's own order; None when none is behind it.
    """

    party: str
    kind: SettlementKind
    amount_minor: int
    points: int = 0
    rule_version: int = 0
    order_no: str | None = None


@value
class Pay:
    """What a redeeming merchant is paid: `gross_minor` less `fee_minor`."""

    gross_minor: int
    fee_minor: int


def issue_fee(funding_minor: int, terms: RuleTerms) -> int:
    """The issuer's fee. Source: docs/rules/settlement.md, rule 1."""
    return share_bp(funding_minor, terms.issue_fee_bps)


def pay_for_points(burned: int, terms: RuleTerms) -> Pay:
    """What burned points pay. Source: docs/rules/settlement.md, rule 3."""
    gross = terms.redeem_price.floor(burned)
    return Pay(gross, share_bp(gross, terms.redeem_fee_bps))


def pay_for_coins(burned: int, terms: RuleTerms) -> Pay:
    """What burned coins pay: their face. Source: docs/rules/settlement.md, rule 9."""
    return Pay(burned, share_bp(burned, terms.redeem_fee_bps))


def issue_legs(
    party: str, *, kind: SettlementKind, funding_minor: int, fee_minor: int, points: int
) -> list[Leg]:
    """An issuer funds the pool and pays its fee. Source: docs/rules/settlement.md, rule 1."""
    return [
        Leg(party, kind, -funding_minor, -points),
        Leg(POOL, kind, funding_minor, points),
        Leg(party, _ISSUE_FEE, -fee_minor),
        Leg(ALLIANCE, _ISSUE_FEE, fee_minor),
    ]


def burn_legs(
    party: str, *, kind: SettlementKind, released_minor: int, pay: Pay, points: int
) -> list[Leg]:
    """The pool pays a redeemer; what is left of the funding is the alliance's.

    Source: docs/rules/settlement.md, rule 3.
    """
    return [
        Leg(party, kind, pay.gross_minor, points),
        Leg(POOL, kind, -released_minor, -points),
        Leg(ALLIANCE, kind, released_minor - pay.gross_minor),
        Leg(party, _REDEEM_FEE, -pay.fee_minor),
        Leg(ALLIANCE, _REDEEM_FEE, pay.fee_minor),
    ]


def return_legs(
    party: str,
    *,
    kind: SettlementKind,
    spending: Spending,
    restored_now: int,
    refunded_minor: int,
    points: int,
) -> list[Leg]:
    """A redeemer gives back what it was paid, fee included, cumulatively.

    Args:
        spending: as it was before.
        restored_now: units that come back.
        refunded_minor: funding that goes back into the pool.

    Source: docs/rules/settlement.md, rule 4.
    """
    before = _net_of_restored(spending, spending.restored)
    net = _net_of_restored(spending, spending.restored + restored_now) - before
    return [
        Leg(party, kind, -net, -points),
        Leg(POOL, kind, refunded_minor, points),
        Leg(ALLIANCE, kind, net - refunded_minor),
    ]


def recovery_legs(
    party: str, *, kind: SettlementKind, order: OrderState, recovered_now: int, released_minor: int
) -> list[Leg]:
    """The issuer of a refunded order gets the recovered funding, and its fee pro rata.

    Args:
        order: as it was before.
        recovered_now: points taken back, by claw-back or by repayment of a debt.
        released_minor: what the pool releases for them, whoever issued them.

    Source: docs/rules/settlement.md, rules 5 and 6.
    """
    fee = _fee_of_recovered(order, order.recovered + recovered_now)
    fee -= _fee_of_recovered(order, order.recovered)
    return [
        Leg(party, kind, released_minor + fee, recovered_now),
        Leg(POOL, kind, -released_minor, -recovered_now),
        Leg(ALLIANCE, kind, -fee),
    ]


def expiry_legs(
    issuer: str, *, released_minor: int, breakage_issuer_bps: int, points: int
) -> list[Leg]:
    """The pool releases the funding of expired units to their issuer and the alliance.

    The alliance's share is rounded down, so that an odd minor unit is the issuer's.

    Args:
        points: 0 for coins.

    Source: docs/rules/settlement.md, rule 11.
    """
    kept = released_minor * (WHOLE_BP - breakage_issuer_bps) // WHOLE_BP
    kind = SettlementKind.EXPIRY
    return [
        Leg(issuer, kind, released_minor - kept, points),
        Leg(POOL, kind, -released_minor, -points),
        Leg(ALLIANCE, kind, kept),
    ]


def coupon_legs(party: str, alliance_share_minor: int) -> list[Leg]:
    """The alliance pays its share of redeemed coupons; < 0 takes it back.

    Source: docs/rules/settlement.md, rule 8.
    """
    return [
        Leg(party, SettlementKind.COUPON, alliance_share_minor),
        Leg(ALLIANCE, SettlementKind.COUPON, -alliance_share_minor),
    ]


def _net_of_restored(spending: Spending, restored: int) -> int:
    gross = reversed_share(spending.gross_minor, part=restored, of_whole=spending.burned)
    fee = reversed_share(spending.fee_minor, part=restored, of_whole=spending.burned)
    return gross - fee


def _fee_of_recovered(order: OrderState, recovered: int) -> int:
    return reversed_share(order.issue_fee_minor, part=recovered, of_whole=order.earned)
