"""Settlement legs sum to zero, and reversed bit by bit they sum to what was posted."""

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from kernel.units import Ratio
from ledger.rules.lots import consumed, refilled, residual_funding
from ledger.rules.settlement import (
    Leg,
    burn_legs,
    coupon_legs,
    issue_fee,
    issue_legs,
    pay_for_points,
    recovery_legs,
    return_legs,
)
from ledger.rules.state import NEVER, Asset, Lot, OrderState, RuleTerms, SettlementKind, Spending

ratios = st.builds(Ratio.of, st.integers(0, 10**6), st.integers(1, 10**6))
rates = st.integers(0, 10_000)
terms_of_any_kind = st.builds(RuleTerms, ratios, ratios, rates, rates, rates)
amounts = st.integers(1, 10**9)


def sum_of(legs: list[Leg], party: str) -> int:
    return sum(leg.amount_minor for leg in legs if leg.party == party)


def a_lot(amount: int, funding: int) -> Lot:
    return Lot(1, Asset.POINTS, "A", funding, amount, amount, 0, 0, NEVER)


@st.composite
def cuts_of_a_whole(draw: st.DrawFn) -> tuple[int, list[int]]:
    parts = draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=8))
    return sum(parts), parts


@seed(1)
@settings(deadline=None)
@given(amounts, terms_of_any_kind)
def test_issuing_and_burning_any_amount_at_any_price_sums_to_zero(
    amount: int, terms: RuleTerms
) -> None:
    funding = terms.issue_price.half_up(amount)
    issued = issue_legs(
        "A",
        kind=SettlementKind.ISSUE,
        funding_minor=funding,
        fee_minor=issue_fee(funding, terms),
        points=amount,
    )
    pay = pay_for_points(amount, terms)
    burned = burn_legs(
        "B", kind=SettlementKind.BURN, released_minor=funding, pay=pay, points=amount
    )

    assert sum(leg.amount_minor for leg in issued) == 0
    assert sum(leg.amount_minor for leg in burned) == 0
    assert sum(leg.points for leg in issued) == sum(leg.points for leg in burned) == 0
    assert sum_of(issued, "POOL") + sum_of(burned, "POOL") == 0


@seed(2)
@settings(deadline=None)
@given(cuts_of_a_whole(), terms_of_any_kind, st.integers(0, 10**9))
def test_partial_returns_take_back_exactly_what_the_redeemer_was_paid(
    cuts: tuple[int, list[int]], terms: RuleTerms, released: int
) -> None:
    burned, parts = cuts
    pay = pay_for_points(burned, terms)
    restored, paid_back = 0, 0
    for part in parts:
        spending = Spending(burned, burned, pay.gross_minor, pay.fee_minor, 0, restored)
        legs = return_legs(
            "B",
            kind=SettlementKind.RETURN,
            spending=spending,
            restored_now=part,
            refunded_minor=released,
            points=part,
        )
        assert sum(leg.amount_minor for leg in legs) == 0
        restored += part
        paid_back -= sum_of(legs, "B")

    assert paid_back == pay.gross_minor - pay.fee_minor


@seed(3)
@settings(deadline=None)
@given(cuts_of_a_whole(), ratios, rates)
def test_partial_recoveries_give_the_issuer_exactly_its_funding_and_fee(
    cuts: tuple[int, list[int]], price: Ratio, fee_bps: int
) -> None:
    earned, parts = cuts
    funding = price.half_up(earned)
    fee = issue_fee(funding, RuleTerms(issue_price=price, issue_fee_bps=fee_bps))
    lot = a_lot(earned, funding)
    recovered, received = 0, 0
    for part in parts:
        change = consumed(lot, part)
        lot = change.lot
        order = OrderState(
            "o", "no", "A", "m", 1, Spending(), Spending(), earned, fee, 1, recovered=recovered
        )
        legs = recovery_legs(
            "A",
            kind=SettlementKind.CLAW_BACK,
            order=order,
            recovered_now=part,
            released_minor=change.released_minor,
        )
        assert sum(leg.amount_minor for leg in legs) == 0
        recovered += part
        received += sum_of(legs, "A")

    assert received == funding + fee
    assert residual_funding(lot) == 0


@seed(4)
@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 10**9), st.randoms(use_true_random=False))
def test_a_lot_loses_no_minor_unit_however_it_is_taken_and_refilled(
    amount: int, funding: int, chance
) -> None:
    lot = a_lot(amount, funding)
    moved = 0
    for _ in range(20):
        gone = lot.original - lot.remaining
        if lot.free and (not gone or chance.random() < 0.6):
            change = consumed(lot, chance.randint(1, lot.free))
        else:
            change = refilled(lot, chance.randint(1, gone))
        lot = change.lot
        moved += change.released_minor
        assert residual_funding(lot) == funding - moved
        assert 0 <= residual_funding(lot) <= funding


def test_the_alliance_pays_its_share_of_a_coupon_and_takes_it_back() -> None:
    given_out, taken_back = coupon_legs("A", 250), coupon_legs("A", -250)

    assert (sum_of(given_out, "A"), sum_of(given_out, "ALLIANCE")) == (250, -250)
    assert sum_of(given_out + taken_back, "A") == 0
