from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.refusals import InvalidInput
from kernel.units import Ratio
from merchants.ladders.tiers import Benefit, TierMetric
from merchants.offers import (
    CartLine,
    DecisionKind,
    Priced,
)
from merchants.port import PriceCart, RefundLine
from merchants.pricing.layers import PriceRules
from merchants.pricing.prices import price
from merchants.pricing.versions import version_of
from merchants.sales.refunding import (
    PaidOrder,
    RefundShares,
    refund_amount,
    refund_lines,
)
from merchants.wording import message_of, title_of
from tests.merchants.pricing.random_carts import (
    carts,
    lines,
    with_a_threshold_that_members_miss,
    with_twins,
)
from tests.merchants.shop import Shop, cart, ladder, with_benefit

quick = settings(max_examples=60, deadline=None, derandomize=True)


@quick
@given(carts())
def test_every_unit_of_a_price_is_accounted_for(case: tuple[PriceCart, PriceRules]) -> None:
    wanted, rules = case
    priced = price(wanted, rules)

    for line in priced.lines:
        taken = sum(each.amount_minor for each in line.allocations)
        assert line.list_minor == line.payable_minor + taken
        assert line.payable_minor >= 0
    by_decision = {each.id: each.amount_minor for each in priced.decisions}
    shares: dict[str, int] = dict.fromkeys(by_decision, 0)
    for line in priced.lines:
        for each in line.allocations:
            shares[each.decision_id] += each.amount_minor
    for each in priced.decisions:
        is_for_shipping = each.kind is DecisionKind.SHIPPING or each.title == "shipping"
        assert is_for_shipping or each.amount_minor == shares[each.id]
    assert len(by_decision) == len(priced.decisions)
    saved_shipping = sum(by_decision.values()) - sum(shares.values())
    assert priced.shipping_minor == wanted.shipping_minor - saved_shipping >= 0
    assert sum(line.points for line in priced.lines) == priced.points_spent
    assert sum(line.coins_minor for line in priced.lines) == priced.coins_spent_minor
    cash = sum(line.payable_minor for line in priced.lines)
    assert priced.payable_minor == cash + priced.shipping_minor


@quick
@given(carts(), st.booleans())
def test_a_member_never_pays_more_than_a_stranger(
    case: tuple[PriceCart, PriceRules], is_missed_by_members: bool
) -> None:
    wanted, rules = case
    if is_missed_by_members:
        rules = with_a_threshold_that_members_miss(case)
    stranger = replace(wanted, card_id=None, points=0, coins_minor=0)

    member_pays = price(wanted, rules)
    stranger_pays = price(stranger, PriceRules(promotions=rules.promotions))

    assert member_pays.payable_minor <= stranger_pays.payable_minor
    assert member_pays.anonymous_payable_minor == stranger_pays.payable_minor


@quick
@given(carts())
def test_points_stay_within_what_is_there_allowed_and_worth_it(
    case: tuple[PriceCart, PriceRules],
) -> None:
    wanted, rules = case
    priced = price(wanted, rules)
    value = wanted.member_point_value
    discount = sum(
        each.amount_minor for each in priced.decisions if each.kind is DecisionKind.POINTS
    )
    before = priced.payable_minor - priced.shipping_minor + discount + priced.coins_spent_minor

    assert priced.points_spent <= min(wanted.points, wanted.points_available)
    assert discount == value.floor(priced.points_spent)
    assert discount <= before * wanted.points_cap_bps // 10_000
    if priced.points_spent:
        assert value.floor(priced.points_spent - 1) < discount


@quick
@given(carts(), st.randoms(use_true_random=False))
def test_the_order_of_coupons_and_promotions_changes_nothing(
    case: tuple[PriceCart, PriceRules], chance: object
) -> None:
    wanted, rules = case[0], with_twins(case[1])
    own, theirs, promoted = (
        list(rules.coupons),
        list(rules.alliance_coupons),
        list(rules.promotions),
    )
    for each in (own, theirs, promoted):
        chance.shuffle(each)  # type: ignore[attr-defined]
    shuffled = replace(
        rules,
        coupons=tuple(own),
        alliance_coupons=tuple(theirs),
        promotions=tuple(promoted),
    )

    assert price(wanted, shuffled) == price(wanted, rules)


@quick
@given(carts())
def test_the_version_depends_on_what_applied_alone(case: tuple[PriceCart, PriceRules]) -> None:
    wanted, rules = case
    chosen = price(wanted, rules)
    pinned = replace(
        rules,
        coupons=tuple(each for each in rules.coupons if each.coupon.coupon_id in chosen.coupon_ids),
        alliance_coupons=tuple(
            each
            for each in rules.alliance_coupons
            if each.coupon.coupon_id in chosen.alliance_coupon_ids
        ),
    )

    assert price(wanted, pinned).version == chosen.version == version_of(wanted, chosen)
    dearer = replace(wanted, lines=(*wanted.lines, CartLine("z", 1, 99_999)))
    assert price(dearer, rules).version != chosen.version


def paid(wanted: PriceCart, priced: Priced) -> PaidOrder:
    return PaidOrder(priced.lines, (), priced.shipping_minor, 0, 1, priced.earn_bps, "CNY")


def after(order: PaidOrder, shares: RefundShares) -> PaidOrder:
    return replace(
        order,
        refunded=(*order.refunded, *shares.lines),
        shipping_refunded_minor=order.shipping_refunded_minor + shares.shipping_minor,
    )


def test_units_of_a_line_come_back_by_cumulative_share() -> None:
    wanted = cart(lines=(CartLine("a", 3, 100),), coins_minor=1, coins_available_minor=1)
    order = paid(wanted, price(wanted, PriceRules()))
    taken = []
    for _ in range(3):
        shares = refund_lines(order, [RefundLine(0, 1)])
        order = after(order, shares)
        taken.append((shares.cash_minor, shares.coins_minor))

    assert taken == [(99, 0), (100, 0), (100, 1)]


def test_after_a_price_adjustment_a_unit_brings_back_what_is_left_of_it() -> None:
    wanted = cart(lines=(CartLine("a", 2, 5_000),), shipping_minor=300)
    order = paid(wanted, price(wanted, PriceRules()))
    order = after(order, refund_amount(order, 2_000))

    first = refund_lines(order, [RefundLine(0, 1)])
    last = refund_lines(after(order, first), [RefundLine(0, 1)])

    assert (first.cash_minor, last.cash_minor) == (4_000, 4_300)
    assert (first.is_full, last.is_full) == (False, True)


@pytest.mark.parametrize(
    "lines", [[RefundLine(2, 1)], [RefundLine(0, 0)], [RefundLine(0, 1), RefundLine(0, 1)]]
)
def test_a_refund_names_each_line_of_the_order_once(lines: list[RefundLine]) -> None:
    wanted = cart(lines=(CartLine("a", 5, 100),))

    with pytest.raises(InvalidInput):
        refund_lines(paid(wanted, price(wanted, PriceRules())), lines)


async def test_a_tier_takes_its_percentage_and_multiplies_points(shop: Shop) -> None:
    made = ladder(TierMetric.PURCHASE_COUNT, ("regular", 1))
    await shop.set_ladder(
        with_benefit(
            made,
            Benefit("PERCENT_OFF", "pay 90 %", percent_off_bps=1_000),
            Benefit("POINTS_MULTIPLIER", "double", points_multiplier_bps=20_000),
        )
    )
    await shop.place(cart(100))

    priced = await shop.backend.price(cart(10_000))

    assert (priced.payable_minor, priced.points_to_earn) == (9_000, 180)
    assert [each.kind for each in priced.decisions] == [DecisionKind.TIER_BENEFIT] * 2


async def test_the_dearest_cart_under_the_steepest_rules_earns_what_a_json_number_holds(
    shop: Shop,
) -> None:
    benefit = Benefit("POINTS_MULTIPLIER", "100x", points_multiplier_bps=1_000_000)
    steps = ladder(TierMetric.PURCHASE_COUNT, ("any", 0))
    await shop.join()
    await shop.set_ladder(with_benefit(steps, benefit))

    placed = await shop.place(cart(10**11, earn_points_per_major_unit=10_000))

    assert placed.event.points_kept == 10**15 < 2**53


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"lines": ()}, "lines"),
        ({"lines": (CartLine("a", 1, 1),) * 201}, "lines"),
        ({"lines": (CartLine("", 0, -1, ""),)}, "lines.0.sku"),
        ({"lines": (CartLine("a", 1_000_001, 1),)}, "lines.0.quantity"),
        ({"lines": (CartLine("a", 1_000_000, 2**53 - 1),)}, "lines"),
        ({"lines": (CartLine("a", 1, 10**11), CartLine("b", 1, 1))}, "lines"),
        ({"points": -1}, "points"),
        ({"shipping_minor": -1}, "shipping"),
        ({"coupon_ids": ("c",) * 51}, "couponIds"),
        ({"points_cap_bps": 10_001}, "pointsCapBps"),
    ],
)
async def test_a_cart_outside_its_limits_is_refused(shop: Shop, more: dict, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await shop.backend.price(cart(1, **more))

    assert caught.value.problems[0][0] == path


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"points": 900, "points_available": 300}, "POINTS_NOT_AVAILABLE"),
        ({"points": 900, "points_available": 900}, "POINTS_CAP"),
        (
            {"points": 150, "points_available": 150, "member_point_value": Ratio(1, 100)},
            "POINTS_BUY_NOTHING",
        ),
    ],
)
async def test_points_that_are_not_taken_say_why(shop: Shop, more: dict, reason: str) -> None:
    priced = await shop.backend.price(cart(1_000, **more))

    left = next(each for each in priced.decisions if each.kind is DecisionKind.CAP)
    assert left.reason == reason


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
async def test_the_figures_of_tiers_equal_a_recount(shop: Shop, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        placed = await shop.place(
            cart(
                lines=tuple(data.draw(lines)),
                coins_minor=data.draw(st.integers(0, 9_000)),
                coins_available_minor=5_000,
                shipping_minor=data.draw(st.integers(0, 500)),
            )
        )
        most = placed.order.payable_minor
        if most and data.draw(st.booleans()):
            await shop.refund(placed, "amount", amount=data.draw(st.integers(1, most)))
        if data.draw(st.booleans()):
            await shop.refund(placed, "line", (0, 1))

    counted = await shop.scalar(
        "SELECT COALESCE(SUM(order_count), 0) || ' ' || COALESCE(SUM(amount_minor), 0)"
        " FROM card_metric"
    )
    recount = await shop.scalar(
        "SELECT COUNT(*) || ' ' || COALESCE(SUM(payable_minor - shipping_minor"
        " + coins_spent_minor - COALESCE((SELECT SUM(cash_minor - r.shipping_minor + coins_minor)"
        " FROM refund AS r WHERE r.order_id = sale.order_id), 0)), 0)"
        " FROM sale WHERE state <> 'REFUNDED'"
    )
    assert counted == recount


@quick
@given(carts())
def test_the_merchants_limit_bounds_what_coupons_and_points_take(
    case: tuple[PriceCart, PriceRules],
) -> None:
    wanted, rules = case
    priced = price(wanted, rules)
    ids = {*priced.coupon_ids, *priced.alliance_coupon_ids, "points"}
    not_counted = {each.decision_id for each in rules.benefits if each.benefit.kind == "GIFT"}
    taken = base = 0
    for line in priced.lines:
        taken += sum(each.amount_minor for each in line.allocations if each.decision_id in ids)
        base += sum(
            each.amount_minor
            for each in line.allocations
            if each.decision_id not in {*ids, *not_counted, "coins"}
        )

    if rules.policy is not None:
        cap = rules.policy.discount_cap_bps
        assert taken <= max(0, priced.list_minor * (cap or 0) // 10_000 - base)


@quick
@given(carts())
def test_a_price_uses_no_more_units_than_a_flash_sale_has_left(
    case: tuple[PriceCart, PriceRules],
) -> None:
    wanted, rules = case
    left = {each.promotion_id: each.stock_left for each in rules.promotions}

    for used in price(wanted, rules).stock:
        assert 1 <= used.units <= (left[used.promotion_id] or 0)


@quick
@given(carts())
def test_every_candidate_has_one_decision_in_both_languages(
    case: tuple[PriceCart, PriceRules],
) -> None:
    wanted, rules = case
    decided = price(wanted, rules).decisions
    expected = {
        *(each.promotion_id for each in rules.promotions),
        *(each.coupon.coupon_id for each in (*rules.coupons, *rules.alliance_coupons)),
        *(each.decision_id for each in rules.benefits),
    }

    ids = [each.id for each in decided]
    assert len(ids) == len(set(ids))
    assert expected <= set(ids)
    for each in decided:
        assert message_of(each, "en") != message_of(each, "zh")
        assert title_of(each, "en")
        if each.blocked_by is not None:
            assert each.blocked_by in ids
