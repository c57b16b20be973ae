"""Limits of what comes in: every fault of a cart, an order or a refund, as (path, sentence). Pure.

Source: docs/rules/pricing.md, rule 9.
"""

from __future__ import annotations

from collections.abc import Sequence

from kernel.text import is_label
from kernel.units import AMOUNT_MAX, WHOLE_BP
from merchants.offers import CartLine
from merchants.port import PriceCart

LINES_MAX = 200
QUANTITY_MAX = 1_000_000
TEXT_MAX = 200
COUPONS_MAX = 50
CART_MAX_MINOR = 10**11
"""Most that a cart comes to: a billion in major units.

Under the steepest rules there are (10 000 points a major unit, a hundredfold) it earns 10^15
points, which a JSON number holds, and the sums of an alliance stay far below 2^63.
"""


def cart_problems(cart: PriceCart) -> list[list[str]]:
    """Every fault of the cart, in input order; empty when there is none."""
    problems = line_problems(cart.lines)
    if len(cart.coupon_ids) > COUPONS_MAX:
        problems.append(["couponIds", f"must name at most {COUPONS_MAX} coupons"])
    for path, amount in (
        ("shipping", cart.shipping_minor),
        ("points", cart.points),
        ("coins", cart.coins_minor),
        ("pointsAvailable", cart.points_available),
        ("coinsAvailable", cart.coins_available_minor),
        ("earnPointsPerMajorUnit", cart.earn_points_per_major_unit),
    ):
        if not 0 <= amount <= AMOUNT_MAX:
            problems.append([path, "must be 0 or more"])
    if not 0 <= cart.points_cap_bps <= WHOLE_BP:
        problems.append(["pointsCapBps", f"must be 0 to {WHOLE_BP}"])
    total = cart.shipping_minor + sum(line.list_minor for line in cart.lines)
    if not problems and total > CART_MAX_MINOR:
        problems.append(["lines", f"must come to at most {CART_MAX_MINOR} minor units in all"])
    return problems


def line_problems(lines: Sequence[CartLine]) -> list[list[str]]:
    """Every fault of the lines of a cart."""
    if not 1 <= len(lines) <= LINES_MAX:
        return [["lines", f"must have 1 to {LINES_MAX} lines"]]
    problems = []
    for index, line in enumerate(lines):
        path = f"lines.{index}"
        if not is_label(line.sku, longest=TEXT_MAX):
            problems.append([f"{path}.sku", f"must have 1 to {TEXT_MAX} characters"])
        if line.category_id is not None and not is_label(line.category_id, longest=TEXT_MAX):
            problems.append(
                [f"{path}.categoryId", f"must have 1 to {TEXT_MAX} characters, or be left out"]
            )
        if not 1 <= line.quantity <= QUANTITY_MAX:
            problems.append([f"{path}.quantity", f"must be 1 to {QUANTITY_MAX}"])
        if not 0 <= line.unit_price_minor <= AMOUNT_MAX:
            problems.append([f"{path}.unitPrice", "must be 0 or more"])
    return problems


def number_problems(path: str, number: str) -> list[list[str]]:
    """The fault of a merchant's own number."""
    if not is_label(number, longest=TEXT_MAX):
        return [[path, f"must have 1 to {TEXT_MAX} characters"]]
    return []
