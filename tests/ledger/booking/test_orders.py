"""A paid order is booked whatever happened before; what is gone, its merchant bears."""

from datetime import timedelta

import pytest

from kernel.ids import derived_id
from kernel.units import Ratio
from ledger.contract import CouponRedemption, KeyReused
from ledger.rules.state import RuleTerms
from tests.ledger.book import Books


async def test_a_capture_takes_part_of_its_hold_and_frees_the_rest(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 80)

    receipt = await books.order("o2", "B", "m1", spent=50, attempt="t1")

    assert (receipt.points_burned, receipt.points_absorbed) == (50, 0)
    standing = await books.standing("m1")
    assert (standing.available, standing.held) == (50, 0)


async def test_the_lots_that_expire_first_are_spent_first(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=300))
    await books.order("o2", "B", "m1", earned=100, expires_in=timedelta(days=10))
    await books.order("o3", "C", "m1", earned=100, expires_in=None)

    await books.order("o4", "C", "m1", spent=150)

    left = await books.rows("SELECT issuer_id, remaining FROM lot ORDER BY id")
    assert left == [("A", 50), ("B", 0), ("C", 100)]


async def test_a_hold_whose_lot_expired_meanwhile_is_captured(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(hours=1))
    await books.hold("t1", "m1", 100)
    books.clock.set(books.now + timedelta(hours=2))

    receipt = await books.order("o2", "B", "m1", spent=100, attempt="t1")

    assert receipt.points_burned == 100


async def test_a_late_capture_takes_what_it_can_and_the_merchant_bears_the_rest(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100)
    await books.hold("t1", "m1", 100)
    await books.release("t1", "m1")
    await books.order("o2", "A", "m1", spent=70)

    await books.grant("g1", "m1", 2)

    receipt = await books.order("o3", "B", "m1", spent=100, coins=5, attempt="t1")

    assert (receipt.points_burned, receipt.points_absorbed) == (30, 70)
    assert (receipt.coins_burned_minor, receipt.coins_absorbed_minor) == (2, 3)
    assert (await books.positions())["B"] == 30 - 1 + 2
    assert (await books.verify()).findings == ()


async def test_an_order_without_effect_leaves_a_request_alone(books: Books) -> None:
    receipt = await books.order("o1", "A", "m1")

    assert (receipt.points_earned, receipt.replayed) == (0, False)
    assert (await books.order("o1", "A", "m1")).replayed
    assert await books.rows("SELECT outcome, tx_seq FROM ledger_request") == [("NOOP", None)]
    assert await books.rows("SELECT * FROM ledger_tx") == []
    assert await books.rows("SELECT * FROM order_state") == []
    refund = await books.refund("o1", "r1", kept=0)
    assert (refund.points_clawed_back, refund.points_returned) == (0, 0)


async def test_a_repeated_order_changes_nothing_and_another_body_is_a_bug(books: Books) -> None:
    first = await books.order("o1", "A", "m1", earned=100)

    again = await books.order("o1", "A", "m1", earned=100)

    later = await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=1))
    assert (first.replayed, again.replayed, later.replayed) == (False, True, True)
    assert (await books.standing("m1")).available == 100
    with pytest.raises(KeyReused):
        await books.order("o1", "A", "m1", earned=101)


async def test_an_anonymous_buyer_earns_nothing_but_the_coupon_is_shared(books: Books) -> None:
    coupon = CouponRedemption("cpn", 1_000, funder_alliance_bps=2_500)

    receipt = await books.order("o1", "A", None, earned=50, coupons=(coupon,))

    assert receipt.points_earned == 0
    assert await books.positions() == {"A": 250, "ALLIANCE": -250}
    await books.refund("o1", "r1", kept=0, coupons=(coupon,))
    assert await books.positions() == {}
    await books.refund("o1", "r2", kept=0, coupons=(coupon,))
    assert await books.positions() == {}
    assert (await books.verify()).findings == ()


async def test_coins_are_funded_by_their_granter_and_paid_at_face(books: Books) -> None:
    await books.grant("g1", "m1", 1_000, funder="A")
    assert await books.positions() == {"A": -1_050, "ALLIANCE": 50, "POOL": 1_000}
    await books.hold("t1", "m1", 0, coins=400)

    await books.order("o1", "B", "m1", coins=400, attempt="t1")

    assert await books.positions() == {"A": -1_050, "B": 392, "ALLIANCE": 58, "POOL": 600}
    refund = await books.refund("o1", "r1", kept=0, coins=400)
    assert refund.coins_returned_minor == 400
    assert await books.positions() == {"A": -1_050, "ALLIANCE": 50, "POOL": 1_000}
    assert (await books.standing("m1")).coins_available == 1_000
    assert (await books.verify()).findings == ()


async def test_the_pool_keeps_every_minor_unit_at_a_fractional_price(tmp_path) -> None:
    books = await Books.open(
        tmp_path / "fraction.sqlite",
        RuleTerms(issue_price=Ratio.of(7, 10), redeem_price=Ratio.of(1, 2)),
    )
    await books.order("o1", "A", "m1", earned=101)
    assert (await books.positions())["POOL"] == 71

    for n in range(101):
        await books.order(f"s{n}", "B", "m1", spent=1)

    assert "POOL" not in await books.positions()
    assert sum((await books.positions()).values()) == 0
    assert (await books.verify()).findings == ()
    await books.close()


async def test_the_alliances_own_orders_settle_with_the_alliance(books: Books) -> None:
    alliance = derived_id("mer", "alliance")
    books.settings = type(books.settings)(alliance_merchant_id=alliance)

    await books.order("o1", alliance, "m1", earned=100)

    assert await books.positions() == {"ALLIANCE": -100, "POOL": 100}
