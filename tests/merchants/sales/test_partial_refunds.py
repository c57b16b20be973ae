"""Partial refunds in any order and size, with gifts, rechecked coupons and price adjustments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from merchants.offers import CartLine, Priced
from merchants.port import PriceCart
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.stacking import Candidate
from merchants.sales.rechecking import RecheckedCoupon
from merchants.sales.refunding import RefundShares
from tests.merchants.pricing.random_carts import carts
from tests.merchants.sales.sold import Sold
from tests.merchants.sizes import sizes


def sold_of(priced: Priced, rules: PriceRules, *, are_rechecked: bool) -> Sold:
    """The sale; its coupons' minimum spends are tested again, or not."""
    applied = {*priced.coupon_ids, *priced.alliance_coupon_ids}
    coupons = [
        RecheckedCoupon(each.coupon.coupon_id, each.coupon.terms)
        for each in (*rules.coupons, *rules.alliance_coupons)
        if each.coupon.coupon_id in applied
    ]
    return Sold(priced, *coupons) if are_rechecked else Sold(priced)


def refund_at_random(sold: Sold, data: st.DataObject) -> list[RefundShares]:
    """Refunds until every unit is back: of units of several lines, and of amounts."""
    left = Counter({line.index: line.quantity for line in sold.order.lines})
    done = []
    while left:
        most = sold.refundable_minor
        if most and data.draw(st.integers(0, 3)) == 0:
            done.append(sold.less(data.draw(st.integers(1, most))))
            continue
        chosen = data.draw(st.sets(st.sampled_from(sorted(left)), min_size=1, max_size=3))
        units = {index: data.draw(st.integers(1, left[index])) for index in sorted(chosen)}
        left -= Counter(units)
        done.append(sold.back(*units.items()))
    return done


def refunds_sum_to_the_whole(
    case: tuple[PriceCart, PriceRules], are_rechecked: bool, data: st.DataObject
) -> None:
    wanted, rules = case
    priced = price(wanted, rules)
    sold = sold_of(priced, rules, are_rechecked=are_rechecked)

    done = refund_at_random(sold, data)

    assert sum(each.cash_minor for each in done) == priced.payable_minor
    assert sum(each.points for each in done) == priced.points_spent
    assert sum(each.coins_minor for each in done) == priced.coins_spent_minor
    assert sold.kept.is_nothing
    for each in done:
        assert min(each.cash_minor, each.points, each.coins_minor) >= 0
        assert all(min(line.cash_minor, line.points, line.coins_minor) >= 0 for line in each.lines)
    earned = [priced.points_to_earn, *(each.points_kept for each in done)]
    assert earned == sorted(earned, reverse=True)
    assert earned[-1] == done[-1].qualifying_minor == 0
    assert [each.is_full for each in done].count(True) >= 1
    assert done[-1].is_full


@sizes(refunds_sum_to_the_whole, carts(), st.booleans(), st.data(), few=80, many=1_500)
def test_partial_refunds_sum_to_the_whole(run: Callable[[], None]) -> None:
    run()


def paid_units_bring_their_price_back(
    case: tuple[PriceCart, PriceRules], data: st.DataObject
) -> None:
    """A unit that nobody gave brings back as much as any other of its line, to a minor unit."""
    wanted, rules = case
    priced = price(wanted, rules)
    given = {
        line.index: sum(each.given_units for each in line.allocations) for line in priced.lines
    }
    mixed = [
        line for line in priced.lines if 0 < given[line.index] < line.quantity and line.quantity > 2
    ]
    assume(mixed)
    line = data.draw(st.sampled_from(mixed))
    sold = Sold(priced)
    is_given = line.index in {
        each.index
        for each in priced.lines
        if any(share.decision_id in sold.order.gifts for share in each.allocations)
    }
    paid = max(0, line.quantity - given[line.index] - is_given)

    worth = [
        (shares.lines[0].cash_minor, shares.lines[0].points, shares.lines[0].coins_minor)
        for shares in (sold.back((line.index, 1)) for _ in range(paid))
    ]

    for units in zip(*worth, strict=True):
        assert max(units) - min(units) <= 1


@sizes(paid_units_bring_their_price_back, carts(), st.data(), few=15, many=1_500)
def test_units_that_were_paid_bring_back_alike(run: Callable[[], None]) -> None:
    run()


def what_no_coupon_counts_comes_back_whole(case: tuple[PriceCart, PriceRules]) -> None:
    """Minimum spends are reached after the sale as they were at it: nothing is kept back."""
    wanted, rules = case
    rules = PriceRules(coupons=_limited(rules.coupons), promotions=rules.promotions)
    pen = CartLine("pen", 1, 1, "pens")
    priced = price(replace(wanted, lines=(*wanted.lines, pen)), rules)
    sold = sold_of(priced, rules, are_rechecked=True)

    refunded = sold.recheck((len(wanted.lines), 1))

    assert refunded.undone == ()
    assert sold.kept.is_nothing


def _limited(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Those that do not cover every article, tested again at refunds."""
    return tuple(
        replace(each, coupon=replace(each.coupon, is_rechecked=True))
        for each in candidates
        if each.coupon.terms.skus or each.coupon.terms.category_ids
    )


@sizes(what_no_coupon_counts_comes_back_whole, carts(), few=60, many=1_500)
def test_goods_that_no_coupon_counts_keep_nothing_back(run: Callable[[], None]) -> None:
    run()
