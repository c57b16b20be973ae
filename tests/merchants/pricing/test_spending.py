"""What points and coins pay of a cart, and what is said of those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.units import Ratio
from merchants.offers import DecisionOutcome
from merchants.pricing.spending import Spending, coins_spending, points_spending
from tests.merchants.shop import cart


def told(spending: Spending) -> list[tuple[str, dict[str, int | str]]]:
    """What is said after what they did."""
    return [(each.says, dict(each.facts)) for each in spending.decisions[1:]]


def test_points_and_coins_that_are_all_taken_leave_nothing_to_say() -> None:
    wanted = cart(
        1_000, points=300, points_available=300, coins_minor=200, coins_available_minor=200
    )

    points, coins = points_spending(wanted, [1_000]), coins_spending(wanted, [700])

    assert (points.spent, coins.spent) == (300, 200)
    assert [each.outcome for each in points.decisions] == [DecisionOutcome.APPLIED]
    assert [each.outcome for each in coins.decisions] == [DecisionOutcome.APPLIED]


@pytest.mark.parametrize(
    ("offered", "spent", "says", "facts"),
    [
        ({"points": 900, "points_available": 300}, 300, "POINTS_NOT_AVAILABLE", {"available": 300}),
        ({"points": 900, "points_available": 600}, 500, "POINTS_CAP", {"share": 5_000}),
        ({"points": 501, "points_available": 501}, 500, "POINTS_CAP", {"share": 5_000}),
        (
            {"points": 250, "points_available": 250, "member_point_value": Ratio(1, 100)},
            200,
            "POINTS_BUY_NOTHING",
            {},
        ),
    ],
)
def test_points_that_are_left_are_counted_and_say_why(
    offered: dict[str, Any], spent: int, says: str, facts: dict[str, int]
) -> None:
    spending = points_spending(cart(1_000, **offered), [600, 400])

    assert spending.spent == sum(spending.spent_by_line) == spent
    assert told(spending) == [(says, {"unused": offered["points"] - spent, **facts})]


@pytest.mark.parametrize(
    ("budget_minor", "spent", "says"),
    [(499, 499, "POINTS_DISCOUNT_CAP"), (0, 0, "POINTS_DISCOUNT_CAP"), (501, 500, "POINTS_CAP")],
)
def test_points_stop_at_the_merchants_limit_of_discounts_when_it_is_the_lower_one(
    budget_minor: int, spent: int, says: str
) -> None:
    wanted = cart(1_000, points=800, points_available=800)

    spending = points_spending(wanted, [1_000], budget_minor=budget_minor)

    assert spending.spent == spent
    assert [said for said, _ in told(spending)] == [says]


@pytest.mark.parametrize(
    ("available", "left", "spent", "says"),
    [
        (300, [400, 100], 300, "COINS_NOT_AVAILABLE"),
        (0, [400, 100], 0, "COINS_NOT_AVAILABLE"),
        (700, [400, 100], 500, "NOTHING_LEFT_TO_PAY"),
        (700, [0, 0], 0, "NOTHING_LEFT_TO_PAY"),
    ],
)
def test_coins_that_are_left_are_counted_and_say_why(
    available: int, left: list[int], spent: int, says: str
) -> None:
    wanted = cart(400, 100, coins_minor=600, coins_available_minor=available)

    spending = coins_spending(wanted, left)

    assert spending.spent == sum(spending.shares_minor) == spent
    assert told(spending) == [(says, {"unused": 600 - spent})]
    assert spending.decisions[0].outcome is (
        DecisionOutcome.APPLIED if spent else DecisionOutcome.REFUSED
    )


def test_who_offers_nothing_hears_nothing() -> None:
    wanted = cart(1_000, points_available=300, coins_available_minor=200)

    assert points_spending(wanted, [1_000]).decisions == ()
    assert coins_spending(wanted, [1_000]).decisions == ()
