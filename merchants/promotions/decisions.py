"""Why each promotion and tier percentage applied, or did not. Pure.

Source: docs/rules/pricing.md, rules 10 to 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from merchants.offers import CartLine, Decision, DecisionKind, DecisionOutcome
from merchants.promotions.goods import GoodsPrice, MemberRate
from merchants.promotions.terms import ORDER_KINDS, Promotion, PromotionKind, covers

PARITY = "parity"


def promotion_decisions(goods: GoodsPrice, lines: Sequence[CartLine]) -> list[Decision]:
    """One decision for each open promotion, and one for each rate of a tier, in layers."""
    titles = {each.promotion_id: each.terms.title for each in goods.open}
    titles.update({each.decision_id: each.title for each in goods.rates})
    decisions = [_of_rate(goods, rate, lines, titles) for rate in goods.rates]
    for promotion in goods.open:
        if promotion.terms.kind not in ORDER_KINDS:
            decisions.append(_of_item(goods, promotion, lines, titles))
    decisions.extend(_of_orders(goods))
    return decisions


def closed_decisions(goods: GoodsPrice) -> list[Decision]:
    """Why each promotion that the buyer may not have is closed to it."""
    return [_refused(promotion, reason) for promotion, reason in goods.closed]


def parity_decisions(kept: GoodsPrice, lost: GoodsPrice) -> list[Decision]:
    """That the price for everybody is kept, and which of the member's own it leaves out.

    Source: docs/rules/pricing.md, rule 18.
    """
    public = {each.promotion_id for each in kept.open}
    decisions = [
        Decision(
            id=PARITY,
            title="",
            kind=DecisionKind.PARITY,
            outcome=DecisionOutcome.APPLIED,
            says="PUBLIC_PRICE",
        )
    ]
    left_out = [
        _refused(each, PARITY.upper()) for each in lost.open if each.promotion_id not in public
    ]
    left_out += [_rate_refused(each, PARITY.upper()) for each in lost.rates]
    decisions.extend(replace(each, blocked_by=PARITY) for each in left_out)
    return decisions


def _of_rate(
    goods: GoodsPrice, rate: MemberRate, lines: Sequence[CartLine], titles: dict[str, str]
) -> Decision:
    amount = goods.taken_by(rate.decision_id)
    if amount:
        is_price = rate.price_minor is not None
        return _rate_decision(
            rate,
            outcome=DecisionOutcome.APPLIED,
            says="MEMBER_PRICE" if is_price else "TIER_TAKES_OFF",
            amount_minor=amount,
            facts=(("amount", amount),),
        )
    covered = sorted(rate.covered(lines))
    if not covered:
        return _rate_refused(rate, "OUT_OF_SCOPE")
    winner = next((each for index in covered for each, _ in goods.items.shares[index]), None)
    if winner is None:
        return _rate_refused(rate, "NO_EFFECT")
    if any(winner == each.decision_id for each in goods.rates):
        return replace(_rate_refused(rate, "BETTER_BENEFIT"), blocked_by=winner)
    return replace(
        _rate_refused(rate, "BETTER_PRICE"),
        blocked_by=winner,
        facts=(("winner", titles[winner]),),
    )


def _rate_refused(rate: MemberRate, reason: str) -> Decision:
    return _rate_decision(rate, outcome=DecisionOutcome.REFUSED, says=reason, reason=reason)


def _rate_decision(
    rate: MemberRate,
    *,
    outcome: DecisionOutcome,
    says: str,
    reason: str | None = None,
    amount_minor: int = 0,
    facts: tuple[tuple[str, int | str], ...] = (),
) -> Decision:
    is_price = rate.price_minor is not None
    return Decision(
        id=rate.decision_id,
        title=rate.title,
        kind=DecisionKind.MEMBER_PRICE if is_price else DecisionKind.TIER_BENEFIT,
        outcome=outcome,
        says=says,
        reason=reason,
        amount_minor=amount_minor,
        rule_version=rate.rule_version,
        facts=facts,
    )


def _of_item(
    goods: GoodsPrice, promotion: Promotion, lines: Sequence[CartLine], titles: dict[str, str]
) -> Decision:
    amount = goods.taken_by(promotion.promotion_id)
    if amount:
        return _applied(promotion, amount)
    terms = promotion.terms
    covered = [index for index, line in enumerate(lines) if covers(terms, line)]
    if terms.kind is PromotionKind.BUNDLE:
        held = {lines[index].sku for index in covered}
        if held != set(terms.skus or ()):
            return _refused(promotion, "BUNDLE_INCOMPLETE" if held else "OUT_OF_SCOPE")
    if not covered:
        return _refused(promotion, "OUT_OF_SCOPE")
    if promotion.stock_left == 0:
        return _refused(promotion, "SOLD_OUT")
    winner = next((each for index in covered for each, _ in goods.items.shares[index]), None)
    if winner is None:
        return _refused(promotion, "NO_EFFECT")
    return replace(
        _refused(promotion, "BETTER_PRICE"),
        blocked_by=winner,
        facts=(("winner", titles[winner]),),
    )


def _of_orders(goods: GoodsPrice) -> list[Decision]:
    decisions = [_applied(each.promotion, each.amount_minor) for each in goods.orders.applied]
    for loser, winner in goods.orders.lost:
        if winner is None:
            decisions.append(_refused(loser.promotion, "NO_EFFECT"))
        else:
            decisions.append(
                replace(
                    _refused(loser.promotion, "BETTER_PROMOTION"),
                    blocked_by=winner.promotion.promotion_id,
                    facts=(("winner", winner.promotion.terms.title),),
                )
            )
    for promotion, missing in goods.orders.missing:
        if missing is None:
            decisions.append(_refused(promotion, "OUT_OF_SCOPE"))
        else:
            decisions.append(
                replace(
                    _refused(promotion, "BELOW_THRESHOLD"),
                    missing_minor=missing,
                    facts=(("missing", missing),),
                )
            )
    return decisions


def _applied(promotion: Promotion, amount_minor: int) -> Decision:
    is_member_price = promotion.terms.kind is PromotionKind.MEMBER_PRICE
    return Decision(
        id=promotion.promotion_id,
        title=promotion.terms.title,
        kind=_kind(promotion),
        outcome=DecisionOutcome.APPLIED,
        says="MEMBER_PRICE" if is_member_price else "TAKES_OFF",
        amount_minor=amount_minor,
        rule_version=promotion.version,
        facts=(("amount", amount_minor),),
    )


def _refused(promotion: Promotion, reason: str) -> Decision:
    rank = promotion.terms.early_access_rank
    is_early = reason == "NOT_YET_OPEN"
    return Decision(
        id=promotion.promotion_id,
        title=promotion.terms.title,
        kind=_kind(promotion),
        outcome=DecisionOutcome.REFUSED,
        says="OPENS_LATER" if is_early and rank is None else reason,
        reason=reason,
        rule_version=promotion.version,
        facts=(("rank", rank),) if is_early and rank is not None else (),
    )


def _kind(promotion: Promotion) -> DecisionKind:
    if promotion.terms.kind is PromotionKind.MEMBER_PRICE:
        return DecisionKind.MEMBER_PRICE
    return DecisionKind.PROMOTION
