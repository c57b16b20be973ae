"""Whole-number units, and arithmetic that never creates or loses one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WHOLE_BP = 10_000
"""All of it in basis points, hundredths of a percent."""

AMOUNT_MAX = 2**53 - 1
"""Largest amount that enters or leaves the system; a JSON number holds it exactly."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A fraction of whole numbers, in lowest terms: minor units per point."""

    numerator: int
    denominator: int

    @classmethod
    def parse(cls, text: str) -> Ratio:
        """The ratio that `"n/d"` or `"n"` writes.

        Raises:
            ValueError: the text is no ratio of whole numbers, is negative, or has parts of more
                than nine digits.
        """
        numerator_text, _, denominator_text = text.partition("/")
        parts = (numerator_text, denominator_text or "1")
        if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
            raise ValueError(f"not a ratio of whole numbers: {text!r}")
        return cls.of(int(parts[0]), int(parts[1]))

    @classmethod
    def of(cls, numerator: int, denominator: int) -> Ratio:
        """The ratio in lowest terms.

        Raises:
            ValueError: `denominator` is not positive, or `numerator` is negative.
        """
        if denominator <= 0 or numerator < 0:
            raise ValueError("a ratio needs a numerator of 0 or more over 1 or more")
        divisor = _gcd(numerator, denominator)
        return cls(numerator // divisor, denominator // divisor)

    def floor(self, amount: int) -> int:
        """`amount` times the ratio, rounded down; `amount` ≥ 0."""
        return amount * self.numerator // self.denominator

    def half_up(self, amount: int) -> int:
        """`amount` times the ratio, rounded half up; `amount` ≥ 0."""
        return half_up(amount * self.numerator, self.denominator)

    def __str__(self) -> str:
        if self.denominator == 1:
            return str(self.numerator)
        return f"{self.numerator}/{self.denominator}"


def half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest whole number, halves away from zero upwards.

    Args:
        numerator: ≥ 0.
        denominator: > 0.

    Source: docs/rules/arithmetic.md, rule 2.
    """
    assert numerator >= 0
    assert denominator > 0
    return (2 * numerator + denominator) // (2 * denominator)


def share_bp(amount: int, rate_bp: int) -> int:
    """A share of `amount` ≥ 0 in basis points, rounded half up."""
    # Written out: prices ask for it hundreds of times each.
    assert amount * rate_bp >= 0
    return (2 * amount * rate_bp + WHOLE_BP) // (2 * WHOLE_BP)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Splits `total` over `weights` by largest remainder; the parts sum to `total`.

    Ties go to the lower index. When every weight is 0 the whole goes to index 0.

    Args:
        total: ≥ 0.
        weights: at least one, each ≥ 0.

    Source: docs/rules/arithmetic.md, rule 4.
    """
    assert total >= 0
    assert weights
    assert min(weights) >= 0

    weight_sum = sum(weights)
    if weight_sum == 0:
        return [total] + [0] * (len(weights) - 1)
    parts = [total * weight // weight_sum for weight in weights]
    short = total - sum(parts)
    if short:
        # Sorting is stable, so that of equal remainders the lower index comes first.
        lacking = [-(total * weight % weight_sum) for weight in weights]
        for index in sorted(range(len(weights)), key=lacking.__getitem__)[:short]:
            parts[index] += 1
    return parts


def units_share(amount: int, *, units: int, of_units: int) -> int:
    """The part of a line's `amount` that its first `units` of `of_units` carry, rounded down.

    Cumulative: the share of units i..k is share(k) − share(i), so that all units sum to `amount`.

    Source: docs/rules/arithmetic.md, rule 5.
    """
    assert 0 <= units <= of_units
    assert of_units > 0
    return amount * units // of_units


def reversed_share(amount: int, *, part: int, of_whole: int) -> int:
    """What of `amount` is reversed once `part` of `of_whole` is, in total, rounded half up.

    Cumulative: reversing k more yields reversed_share(total) − what was reversed before, so that
    partial reversals sum to the whole.

    Source: docs/rules/arithmetic.md, rule 6.
    """
    assert 0 <= part <= of_whole
    if of_whole == 0:
        return 0
    return half_up(amount * part, of_whole)


def _gcd(left: int, right: int) -> int:
    while right:
        left, right = right, left % right
    return left or 1
