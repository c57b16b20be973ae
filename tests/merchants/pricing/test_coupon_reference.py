"""Coupons held against a reference that was written from the prose of their rules alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from merchants.offers import CouponKind, CouponTerms, OfferedCoupon, Priced
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from tests.merchants.pricing.coupon_reference import Counter, Outcome, Wallet, best_outcome
from tests.merchants.pricing.random_carts import by_content, carts
from tests.merchants.shop import TEA, cart
from tests.merchants.sizes import sizes


def coupons_alone(case: tuple[PriceCart, PriceRules]) -> tuple[PriceCart, PriceRules]:
    """The case without anything else that moves a price, its lines in the order of pricing."""
    wanted, rules = case
    alone = replace(wanted, lines=by_content(wanted.lines), points=0, coins_minor=0)
    return alone, PriceRules(
        coupons=rules.coupons[:4],
        alliance_coupons=rules.alliance_coupons[:3],
        owned_skus=rules.owned_skus,
        policy=rules.policy,
    )


def expected(wanted: PriceCart, rules: PriceRules) -> Outcome:
    left = [line.list_minor for line in wanted.lines]
    cap = rules.policy.discount_cap_bps if rules.policy else None
    counter = Counter(
        lines=wanted.lines,
        left=left,
        spent=left,
        shipping=wanted.shipping_minor,
        budget=None if cap is None else sum(left) * cap // 10_000,
        channel=wanted.channel,
        owned=rules.owned_skus,
    )
    return best_outcome(
        counter,
        Wallet(
            [each.coupon for each in rules.coupons],
            [each.coupon for each in rules.alliance_coupons],
        ),
    )


def taken(priced: Priced, coupon_id: str) -> list[int]:
    return [
        sum(each.amount_minor for each in line.allocations if each.decision_id == coupon_id)
        for line in priced.lines
    ]


def coupons_do_as_the_prose_says(case: tuple[PriceCart, PriceRules]) -> None:
    wanted, rules = coupons_alone(case)

    priced = price(wanted, rules)

    outcome = expected(wanted, rules)
    applied = [*priced.coupon_ids, *priced.alliance_coupon_ids]
    amounts = {each.coupon_id: each.amount_minor for each in priced.redemptions}
    assert applied == list(outcome.shares)
    assert amounts == {name: outcome.amount(name) for name in applied}
    assert {name: taken(priced, name) for name in applied} == outcome.shares
    assert priced.payable_minor == outcome.to_pay
    assert priced.shipping_minor == outcome.shipping


@sizes(coupons_do_as_the_prose_says, carts(), few=80)
def test_coupons_do_what_their_rules_say_line_by_line(run: Callable[[], None]) -> None:
    run()


def test_what_a_cap_leaves_of_a_percentage_is_spread_by_what_the_lines_cost() -> None:
    terms = CouponTerms("p", CouponKind.PERCENT_OFF, 0, percent_off_bps=3_204, cap_minor=8)
    coupon = Candidate(OfferedCoupon("p", TEA, terms))

    priced = price(cart(15, 12), PriceRules(coupons=(coupon,)))

    # Rounded, the percentages are 5 and 4; by 15 and 12 the 8 of the cap are 4.44 and 3.56.
    assert taken(priced, "p") == [4, 4]
    assert taken(price(cart(16, 11), PriceRules(coupons=(coupon,))), "p") == [5, 3]
