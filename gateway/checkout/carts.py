"""What a client asks for, and its limits. Pure. See docs/rules/checkout.md, rule 10."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.refusals import InvalidInput
from kernel.text import is_label
from kernel.units import AMOUNT_MAX
from merchants.limits import CART_MAX_MINOR

LINES_MAX = 200
QUANTITY_MAX = 1_000_000
TEXT_MAX = 200
COUPONS_MAX = 20
NUMBER_MAX = 64
"""Longest order or refund number."""

Problems = list[list[str]]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money as a client sends it."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class LineAsked:
    """One line of a cart as a client sends it."""

    sku: str
    quantity: int
    unit_price: Amount
    category_id: str | None = None


@dataclass(frozen=True, slots=True)
class CartAsked:
    """A cart as a client sends it; `card_id` None for an anonymous buyer."""

    store_id: str
    lines: tuple[LineAsked, ...]
    card_id: str | None = None
    coupon_ids: tuple[str, ...] = ()
    points: int = 0
    coins: Amount | None = None
    shipping: Amount | None = None
    choose_best: bool = True

    @property
    def coins_minor(self) -> int:
        """Coins to spend."""
        return 0 if self.coins is None else self.coins.amount_minor

    @property
    def shipping_minor(self) -> int:
        """Shipping to pay."""
        return 0 if self.shipping is None else self.shipping.amount_minor


@dataclass(frozen=True, slots=True)
class RefundLineAsked:
    """Units of one line to refund, as a client sends them."""

    line_index: int
    quantity: int


def refuse_if(problems: Problems) -> None:
    """Does nothing when there is no problem.

    Raises:
        InvalidInput: there is one, or more.
    """
    if problems:
        raise InvalidInput(problems)


def cart_problems(cart: CartAsked, *, currency: str) -> Problems:
    """Every fault of a cart, in input order.

    Source: docs/rules/checkout.md, rule 10.
    """
    problems: Problems = []
    if not 1 <= len(cart.lines) <= LINES_MAX:
        problems.append(["cart.lines", f"must have 1 to {LINES_MAX} lines"])
    for index, line in enumerate(cart.lines[:LINES_MAX]):
        _check_line(problems, f"cart.lines.{index}", line, currency)
    if len(cart.coupon_ids) > COUPONS_MAX:
        problems.append(["cart.couponIds", f"must have at most {COUPONS_MAX} coupons"])
    elif len(set(cart.coupon_ids)) < len(cart.coupon_ids):
        problems.append(["cart.couponIds", "must name each coupon once"])
    if any(len(coupon_id) > TEXT_MAX for coupon_id in cart.coupon_ids):
        problems.append(["cart.couponIds", f"must have ids of at most {TEXT_MAX} characters"])
    if cart.points < 0:
        problems.append(["cart.points", "must be 0 or more"])
    _check_amount(problems, "cart.coins", cart.coins, currency)
    _check_amount(problems, "cart.shipping", cart.shipping, currency)
    _check_card(problems, cart)
    total = sum(line.quantity * line.unit_price.amount_minor for line in cart.lines)
    if not problems and total + cart.shipping_minor > CART_MAX_MINOR:
        problems.append(["cart", f"must come to at most {CART_MAX_MINOR} minor units"])
    return problems


def number_problems(field: str, number: str) -> Problems:
    """Every fault of a merchant's order or refund number."""
    if is_label(number, longest=NUMBER_MAX) and number.strip() == number:
        return []
    return [
        [field, f"must have 1 to {NUMBER_MAX} printable characters, none of them a space at an end"]
    ]


def refund_problems(
    lines: tuple[RefundLineAsked, ...] | None, amount: Amount | None, *, currency: str
) -> Problems:
    """Every fault of what a refund asks for.

    Source: docs/rules/checkout.md, rule 10.
    """
    if (lines is None) == (amount is None):
        return [["lines", "or amount must be given: exactly one of the two"]]
    problems: Problems = []
    if amount is not None:
        _check_amount(problems, "amount", amount, currency)
        if amount.amount_minor == 0:
            problems.append(["amount.amountMinor", "must be 1 or more"])
        return problems
    assert lines is not None
    if not 1 <= len(lines) <= LINES_MAX:
        problems.append(["lines", f"must have 1 to {LINES_MAX} lines"])
    for index, line in enumerate(lines[:LINES_MAX]):
        if not 0 <= line.line_index < LINES_MAX:
            problems.append(
                [f"lines.{index}.lineIndex", "must be the position of a line of the order"]
            )
        if not 1 <= line.quantity <= QUANTITY_MAX:
            problems.append([f"lines.{index}.quantity", f"must be 1 to {QUANTITY_MAX}"])
    if len({line.line_index for line in lines}) < len(lines):
        problems.append(["lines", "must name each line once"])
    return problems


def _check_line(problems: Problems, path: str, line: LineAsked, currency: str) -> None:
    if not is_label(line.sku, longest=TEXT_MAX):
        problems.append([f"{path}.sku", f"must have 1 to {TEXT_MAX} characters"])
    if line.category_id is not None and not is_label(line.category_id, longest=TEXT_MAX):
        problems.append([f"{path}.categoryId", f"must have 1 to {TEXT_MAX} characters"])
    if not 1 <= line.quantity <= QUANTITY_MAX:
        problems.append([f"{path}.quantity", f"must be 1 to {QUANTITY_MAX}"])
    _check_amount(problems, f"{path}.unitPrice", line.unit_price, currency)


def _check_amount(problems: Problems, path: str, amount: Amount | None, currency: str) -> None:
    if amount is None:
        return
    if not 0 <= amount.amount_minor <= AMOUNT_MAX:
        problems.append([f"{path}.amountMinor", f"must be 0 to {AMOUNT_MAX}"])
    if amount.currency != currency:
        problems.append([f"{path}.currency", f"must be {currency}, the alliance's"])


def _check_card(problems: Problems, cart: CartAsked) -> None:
    if cart.card_id is not None:
        return
    if cart.coupon_ids or cart.points > 0 or cart.coins_minor > 0:
        problems.append(["cart.cardId", "is needed to use coupons, points or coins"])
