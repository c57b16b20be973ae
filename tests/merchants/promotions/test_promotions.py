"""Each kind of promotion at known prices."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from merchants.offers import CartLine, DecisionKind, DecisionOutcome
from merchants.promotions.terms import Buyer, is_on, why_closed
from merchants.promotions.validation import promotion_problems
from tests.merchants.offers import decision, priced, promotion, reasons, stranger, terms, tier
from tests.merchants.shop import NOW, cart

SHANGHAI = ZoneInfo("Asia/Shanghai")


def lines(*units: tuple[str, int, int]) -> tuple[CartLine, ...]:
    return tuple(CartLine(sku, quantity, price) for sku, quantity, price in units)


def test_a_limited_price_holds_for_its_articles_and_for_everybody() -> None:
    wanted = cart(lines=lines(("tea", 2, 5_000), ("cup", 1, 3_000)))
    offer = promotion("LIMITED_PRICE", price_minor=4_000, skus=("tea",))

    result = priced(stranger(wanted), offer)

    assert result.payable_minor == 8_000 + 3_000
    assert result.lines[0].allocations[0].amount_minor == 2_000
    assert decision(result, "p").amount_minor == 2_000
    assert priced(wanted, offer).payable_minor == result.payable_minor


def test_a_limited_percentage_is_rounded_half_up_on_each_line() -> None:
    result = priced(cart(333, 335), promotion("LIMITED_PRICE", percent_off_bps=1_000))

    assert [line.payable_minor for line in result.lines] == [300, 301]


def test_a_price_above_the_public_one_changes_nothing() -> None:
    result = priced(cart(900), promotion("LIMITED_PRICE", price_minor=1_000, skus=("sku-0",)))

    assert result.payable_minor == 900
    assert reasons(result) == {"p": "NO_EFFECT"}


def test_a_member_price_is_for_members_and_says_so_to_strangers() -> None:
    offer = promotion("MEMBER_PRICE", price_minor=4_000, skus=("sku-0",))

    member, other = priced(cart(5_000), offer), priced(stranger(cart(5_000)), offer)

    assert (member.payable_minor, member.anonymous_payable_minor) == (4_000, 5_000)
    assert decision(member, "p").kind is DecisionKind.MEMBER_PRICE
    assert other.payable_minor == 5_000
    assert reasons(other) == {"p": "MEMBERS_ONLY"}


def test_the_lower_of_promotion_and_tier_counts_and_the_other_names_it() -> None:
    offer = promotion("LIMITED_PRICE", percent_off_bps=2_000)

    result = priced(cart(10_000), offer, benefits=(tier(1_000),))

    assert result.payable_minor == 8_000
    assert decision(result, "tier:tiers:0").reason == "BETTER_PRICE"
    assert decision(result, "tier:tiers:0").blocked_by == "p"


def test_each_line_takes_its_own_best_price() -> None:
    offer = promotion("LIMITED_PRICE", price_minor=8_000, skus=("sku-0",))

    result = priced(cart(10_000, 10_000), offer, benefits=(tier(1_000),))

    assert [line.payable_minor for line in result.lines] == [8_000, 9_000]
    assert decision(result, "p").amount_minor == 2_000
    assert decision(result, "tier:tiers:0").amount_minor == 1_000


def test_a_promotion_that_stacks_lets_the_tier_take_its_percentage_of_the_rest() -> None:
    offer = promotion("LIMITED_PRICE", price_minor=8_000, skus=("sku-0",), stacks=True)

    result = priced(cart(10_000), offer, benefits=(tier(1_000),))

    assert result.payable_minor == 7_200
    assert result.anonymous_payable_minor == 8_000
    assert decision(result, "tier:tiers:0").amount_minor == 800


def test_an_amount_off_an_order_is_spread_by_largest_remainder() -> None:
    offer = promotion("THRESHOLD_OFF", threshold_minor=10_000, off_minor=1_000)

    result = priced(cart(3_333, 3_333, 3_334), offer)

    assert [line.payable_minor for line in result.lines] == [3_000, 3_000, 3_000]


def test_a_threshold_that_is_missed_says_by_how_much() -> None:
    offer = promotion("THRESHOLD_OFF", threshold_minor=10_000, off_minor=1_000)

    result = priced(cart(8_800), offer)

    assert reasons(result) == {"p": "BELOW_THRESHOLD"}
    assert decision(result, "p").missing_minor == 1_200


def test_a_threshold_is_tested_after_prices_of_goods_and_on_covered_goods_alone() -> None:
    percent = promotion(
        "THRESHOLD_PERCENT", threshold_minor=5_000, percent_off_bps=1_000, skus=("sku-0",)
    )
    cheaper = promotion("LIMITED_PRICE", "q", price_minor=4_900, skus=("sku-0",))

    assert priced(cart(5_000, 9_000), percent).payable_minor == 4_500 + 9_000
    assert priced(cart(5_000, 9_000), percent, cheaper).payable_minor == 4_900 + 9_000


def test_the_higher_step_of_two_thresholds_wins() -> None:
    steps = (
        promotion("THRESHOLD_OFF", "a", threshold_minor=10_000, off_minor=1_000),
        promotion("THRESHOLD_OFF", "b", threshold_minor=20_000, off_minor=3_000),
    )

    result = priced(cart(20_000), *steps)

    assert result.payable_minor == 17_000
    assert reasons(result) == {"a": "BETTER_PROMOTION", "b": None}
    assert decision(result, "a").blocked_by == "b"


def test_thresholds_on_other_goods_apply_side_by_side() -> None:
    both = (
        promotion("THRESHOLD_OFF", "a", threshold_minor=100, off_minor=100, skus=("sku-0",)),
        promotion("THRESHOLD_OFF", "b", threshold_minor=100, off_minor=100, skus=("sku-1",)),
        promotion("THRESHOLD_OFF", "c", threshold_minor=100, off_minor=150),
    )

    result = priced(cart(1_000, 1_000), *both)

    assert result.payable_minor == 1_800
    assert reasons(result) == {"a": None, "b": None, "c": "BETTER_PROMOTION"}


def test_a_flash_sale_gives_what_is_left_to_the_dearest_units_first() -> None:
    wanted = cart(lines=lines(("tea", 2, 5_000), ("cup", 2, 6_000)))
    offer = promotion("FLASH_SALE", price_minor=1_000, skus=("tea", "cup"), stock=10, left=3)

    result = priced(wanted, offer)

    assert [line.payable_minor for line in result.lines] == [6_000, 2_000]
    assert [(each.promotion_id, each.units) for each in result.stock] == [("p", 3)]


def test_a_flash_sale_without_units_is_sold_out() -> None:
    offer = promotion("FLASH_SALE", price_minor=1, skus=("sku-0",), stock=10, left=0)

    result = priced(cart(5_000), offer)

    assert (result.payable_minor, result.stock) == (5_000, ())
    assert reasons(result) == {"p": "SOLD_OUT"}


def test_units_beyond_the_stock_take_the_next_best_price() -> None:
    wanted = cart(lines=lines(("tea", 3, 5_000)))
    flash = promotion("FLASH_SALE", price_minor=1_000, skus=("tea",), stock=9, left=1)

    result = priced(wanted, flash, benefits=(tier(1_000),))

    assert result.payable_minor == 1_000 + 9_000


def test_a_bundle_costs_its_price_and_shares_fall_by_public_prices() -> None:
    wanted = cart(lines=lines(("tea", 1, 6_000), ("cup", 1, 3_000)))
    offer = promotion("BUNDLE", price_minor=7_500, skus=("tea", "cup"))

    result = priced(wanted, offer)

    assert [line.payable_minor for line in result.lines] == [5_000, 2_500]


def test_a_bundle_that_lacks_an_article_says_so() -> None:
    offer = promotion("BUNDLE", price_minor=7_500, skus=("tea", "cup", "cup"))
    wanted = cart(lines=lines(("tea", 1, 6_000)))

    assert reasons(priced(wanted, offer)) == {"p": "BUNDLE_INCOMPLETE"}


def test_the_packing_that_saves_most_beats_the_bundle_that_saves_most() -> None:
    """One greedy copy of `a` saves 50 and leaves nothing; `b` and `c` together save 80."""
    wanted = cart(lines=lines(("x", 1, 100), ("y", 1, 100), ("u", 1, 100), ("v", 1, 100)))
    bundles = (
        promotion("BUNDLE", "a", price_minor=150, skus=("x", "y")),
        promotion("BUNDLE", "b", price_minor=160, skus=("x", "u")),
        promotion("BUNDLE", "c", price_minor=160, skus=("y", "v")),
    )

    result = priced(wanted, *bundles)

    assert result.payable_minor == 320
    assert reasons(result) == {"a": "BETTER_PRICE", "b": None, "c": None}


def test_a_bundle_is_left_alone_when_the_member_pays_less_without_it() -> None:
    wanted = cart(lines=lines(("tea", 1, 6_000), ("cup", 1, 3_000)))
    offer = promotion("BUNDLE", price_minor=8_500, skus=("tea", "cup"))

    result = priced(wanted, offer, benefits=(tier(1_000),))

    assert result.payable_minor == 8_100
    assert decision(result, "p").reason == "BETTER_PRICE"


def test_a_member_who_would_miss_a_threshold_pays_the_public_price() -> None:
    offer = promotion("THRESHOLD_OFF", threshold_minor=10_000, off_minor=2_000)

    result = priced(cart(10_000), offer, benefits=(tier(500),))

    assert (result.payable_minor, result.anonymous_payable_minor) == (8_000, 8_000)
    assert decision(result, "parity").outcome is DecisionOutcome.APPLIED
    assert decision(result, "tier:tiers:0").reason == "PARITY"
    assert decision(result, "tier:tiers:0").blocked_by == "parity"


def test_a_member_who_still_reaches_the_threshold_has_both() -> None:
    offer = promotion("THRESHOLD_OFF", threshold_minor=10_000, off_minor=2_000)

    result = priced(cart(12_000), offer, benefits=(tier(500),))

    assert result.payable_minor == 9_400


@pytest.mark.parametrize(
    ("minutes", "rank", "code"),
    [
        (-31, 3, "NOT_YET_OPEN"),
        (-30, 3, None),
        (-30, 2, "NOT_YET_OPEN"),
        (0, 0, None),
    ],
)
def test_a_high_rank_opens_a_promotion_early(minutes: int, rank: int, code: str | None) -> None:
    early = terms(
        "FLASH_SALE", starts_at=NOW, early_access_rank=3, early_access_minutes=30, price_minor=1
    )
    at = NOW + timedelta(minutes=minutes)

    assert is_on(early, at, SHANGHAI) is (minutes >= -30)
    assert why_closed(early, Buyer(True, rank), at) == code
    assert why_closed(early, Buyer(False), NOW - timedelta(minutes=1)) == "NOT_YET_OPEN"


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        # 28 February 2026, 16:00 UTC, is 1 March, a Sunday, in Shanghai.
        ("2026-02-28T15:59:59+00:00", False),
        ("2026-02-28T16:00:00+00:00", True),
        ("2026-03-01T15:59:59+00:00", True),
        ("2026-03-01T16:00:00+00:00", False),
    ],
)
def test_a_member_day_is_a_day_of_the_alliance_calendar(at: str, is_open: bool) -> None:
    span = {"starts_at": NOW - timedelta(days=60), "ends_at": NOW + timedelta(days=60)}
    instant = datetime.fromisoformat(at)

    assert is_on(terms("LIMITED_PRICE", weekdays=(7,), **span), instant, SHANGHAI) is is_open
    assert is_on(terms("LIMITED_PRICE", month_days=(1,), **span), instant, SHANGHAI) is is_open


@pytest.mark.parametrize(
    ("kind", "more", "fields"),
    [
        ("LIMITED_PRICE", {"price_minor": 1, "skus": ("a",)}, []),
        ("LIMITED_PRICE", {"percent_off_bps": 1}, []),
        ("LIMITED_PRICE", {}, ["price"]),
        ("LIMITED_PRICE", {"price_minor": 1}, ["skus"]),
        ("LIMITED_PRICE", {"price_minor": 1, "percent_off_bps": 1, "skus": ("a",)}, ["price"]),
        ("FLASH_SALE", {"price_minor": 0, "skus": ("a",), "stock": 1}, []),
        ("FLASH_SALE", {}, ["price", "stock", "skus"]),
        ("BUNDLE", {"price_minor": 1, "skus": ("a", "a")}, []),
        ("BUNDLE", {"price_minor": 1, "skus": ("a",)}, ["skus"]),
        ("BUNDLE", {"price_minor": 1, "skus": ("a", "b"), "category_ids": ("x",)}, ["categoryIds"]),
        ("THRESHOLD_OFF", {"threshold_minor": 5, "off_minor": 5}, []),
        ("THRESHOLD_OFF", {"threshold_minor": 5, "off_minor": 6}, ["off"]),
        ("THRESHOLD_PERCENT", {"threshold_minor": 5}, ["percentOffBps"]),
        ("MEMBER_PRICE", {"percent_off_bps": 10_001}, ["percentOffBps"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "stacks": True}, ["stacksWithMemberPrice"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "stock": 1}, ["stock"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "early_access_rank": 1}, ["earlyAccessRank"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "ends_at": NOW}, ["endsAt"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "title": " "}, ["title"]),
        ("MEMBER_PRICE", {"percent_off_bps": 1, "weekdays": ()}, ["weekdays"]),
    ],
)
def test_every_fault_of_a_promotion_is_told(
    kind: str, more: dict[str, object], fields: list[str]
) -> None:
    problems = promotion_problems(terms(kind, **more), now=NOW)

    assert [field for field, _ in problems] == fields


def test_a_stock_is_never_set_below_what_is_taken() -> None:
    flash = terms("FLASH_SALE", price_minor=1, skus=("a",), stock=4)

    assert promotion_problems(flash, now=NOW, taken=4) == []
    assert [field for field, _ in promotion_problems(flash, now=NOW, taken=5)] == ["stock"]


def test_a_cart_with_too_many_packings_is_packed_greedily_and_alike_each_time() -> None:
    wanted = cart(lines=lines(("x", 5_000, 100), ("y", 5_000, 100), ("z", 5_000, 100)))
    bundles = (
        promotion("BUNDLE", "a", price_minor=150, skus=("x", "y")),
        promotion("BUNDLE", "b", price_minor=140, skus=("y", "z")),
        promotion("BUNDLE", "c", price_minor=199, skus=("x", "z")),
    )

    result = priced(wanted, *bundles)

    assert result.payable_minor == 5_000 * (140 + 100)
    assert priced(wanted, *reversed(bundles)) == result


def test_early_access_opens_a_sale_of_some_days_before_the_first_of_them() -> None:
    sunday = datetime(2026, 3, 8, tzinfo=SHANGHAI)
    span = {"starts_at": sunday, "ends_at": sunday + timedelta(days=30)}
    early = sunday - timedelta(minutes=10)
    for days in ({"weekdays": (7,)}, {"month_days": (8,)}):
        sale = terms("FLASH_SALE", price_minor=1, stock=5, **days, **span)

        assert is_on(sale, early, SHANGHAI, early_minutes=30)
        assert not is_on(sale, early, SHANGHAI, early_minutes=5)
        assert not is_on(sale, sunday + timedelta(days=1), SHANGHAI, early_minutes=30)
