import dataclasses
from typing import Any

import pytest

from gateway.checkout.carts import (
    Amount,
    CartAsked,
    LineAsked,
    RefundLineAsked,
    cart_problems,
    number_problems,
    refund_problems,
)
from kernel.units import AMOUNT_MAX

TEN = Amount(1_000, "CNY")
CART = CartAsked("sto", (LineAsked("sku", 1, TEN),), card_id="card")


def fields_of(cart: CartAsked) -> list[str]:
    return [field for field, _ in cart_problems(cart, currency="CNY")]


def test_a_plain_cart_has_no_problem() -> None:
    assert fields_of(CART) == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"lines": ()}, ["cart.lines"]),
        ({"lines": CART.lines * 201}, ["cart.lines"]),
        ({"coupon_ids": tuple(str(n) for n in range(21))}, ["cart.couponIds"]),
        ({"coupon_ids": ("a", "a")}, ["cart.couponIds"]),
        ({"points": -1}, ["cart.points"]),
        ({"coins": Amount(-1, "CNY")}, ["cart.coins.amountMinor"]),
        ({"coins": Amount(1, "USD")}, ["cart.coins.currency"]),
        ({"shipping": Amount(-1, "USD")}, ["cart.shipping.amountMinor", "cart.shipping.currency"]),
        ({"card_id": None, "points": 1}, ["cart.cardId"]),
        ({"card_id": None, "coupon_ids": ("a",)}, ["cart.cardId"]),
    ],
)
def test_a_cart_beyond_its_limits_is_told_where(change: dict[str, Any], fields: list[str]) -> None:
    assert fields_of(dataclasses.replace(CART, **change)) == fields


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (LineAsked("", 1, TEN), "sku"),
        (LineAsked("s" * 201, 1, TEN), "sku"),
        (LineAsked("sku", 0, TEN), "quantity"),
        (LineAsked("sku", 1_000_001, TEN), "quantity"),
        (LineAsked("sku", 1, Amount(-1, "CNY")), "unitPrice.amountMinor"),
        (LineAsked("sku", 1, Amount(1, "GBP")), "unitPrice.currency"),
        (LineAsked("sku", 1, TEN, ""), "categoryId"),
    ],
)
def test_a_line_beyond_its_limits_is_told_where(line: LineAsked, field: str) -> None:
    cart = dataclasses.replace(CART, lines=(*CART.lines, line))

    assert fields_of(cart) == [f"cart.lines.1.{field}"]


def test_every_fault_is_told_at_once() -> None:
    line = LineAsked("", 0, Amount(-1, "USD"))
    cart = dataclasses.replace(CART, lines=(line,), points=-1)

    assert len(fields_of(cart)) == 5


def test_a_cart_is_worth_no_more_than_a_json_number_holds() -> None:
    line = LineAsked("gold", 1_000_000, Amount(AMOUNT_MAX, "CNY"))

    assert fields_of(dataclasses.replace(CART, lines=(line,))) == ["cart"]


@pytest.mark.parametrize("number", ["", "x" * 65, "a\nb", " a", "a "])
def test_an_unfit_order_number_is_told(number: str) -> None:
    assert [field for field, _ in number_problems("orderNo", number)] == ["orderNo"]


@pytest.mark.parametrize(
    ("lines", "amount", "fields"),
    [
        (None, None, ["lines"]),
        ((RefundLineAsked(0, 1),), TEN, ["lines"]),
        ((), None, ["lines"]),
        ((RefundLineAsked(0, 0),), None, ["lines.0.quantity"]),
        ((RefundLineAsked(-1, 1),), None, ["lines.0.lineIndex"]),
        ((RefundLineAsked(0, 1), RefundLineAsked(0, 1)), None, ["lines"]),
        (None, Amount(0, "CNY"), ["amount.amountMinor"]),
        (None, Amount(1, "USD"), ["amount.currency"]),
        (None, TEN, []),
        ((RefundLineAsked(0, 1),), None, []),
    ],
)
def test_a_refund_names_lines_or_an_amount_within_limits(
    lines: tuple[RefundLineAsked, ...] | None, amount: Amount | None, fields: list[str]
) -> None:
    problems = refund_problems(lines, amount, currency="CNY")

    assert [field for field, _ in problems] == fields
