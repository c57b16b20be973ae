"""What a benefit of a tier or a paid membership promises, and every fault of it. Pure.

Source: docs/rules/tiers.md, rule 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kernel.text import is_title
from kernel.units import AMOUNT_MAX, WHOLE_BP

BENEFITS_MAX = 20
NAME_MAX = 100
SCOPE_MAX = 200
TEXT_MAX = 200
EARLY_MINUTES_MAX = 60 * 24 * 30
MULTIPLIER_BPS_MAX = 100 * WHOLE_BP

PERCENT_OFF = "PERCENT_OFF"
MEMBER_PRICE = "MEMBER_PRICE"
POINTS_MULTIPLIER = "POINTS_MULTIPLIER"
FREE_SHIPPING = "FREE_SHIPPING"
EARLY_ACCESS = "EARLY_ACCESS"
GIFT = "GIFT"


@dataclass(frozen=True, slots=True)
class Benefit:
    """A right that a tier gives; None for what its kind does not have.

    Attributes:
        percent_off_bps: of PERCENT_OFF: what it takes off.
        points_multiplier_bps: of POINTS_MULTIPLIER: points earned, of the usual.
        entitlement: flag that staff or another system reads.
        early_minutes: of EARLY_ACCESS: how much earlier flash sales open.
        gift_sku: of GIFT: the merchant's article.
        price_minor: of MEMBER_PRICE: what a unit costs.
        skus, category_ids: goods that PERCENT_OFF or MEMBER_PRICE is limited to; None for all.
        min_spend_minor: of GIFT: what other goods must cost; None for a flag.
    """

    kind: str
    title: str
    percent_off_bps: int | None = None
    points_multiplier_bps: int | None = None
    entitlement: str | None = None
    title_en: str | None = None
    early_minutes: int | None = None
    gift_sku: str | None = None
    price_minor: int | None = None
    skus: tuple[str, ...] | None = None
    category_ids: tuple[str, ...] | None = None
    min_spend_minor: int | None = None

    @property
    def is_flag(self) -> bool:
        """Whether no price takes it into account: staff or another system reads it."""
        if self.kind == EARLY_ACCESS:
            return self.early_minutes is None
        if self.kind == GIFT:
            return self.gift_sku is None or self.min_spend_minor is None
        if self.kind == MEMBER_PRICE:
            return self.price_minor is None
        return self.kind not in (PERCENT_OFF, POINTS_MULTIPLIER, FREE_SHIPPING)


@dataclass(frozen=True, slots=True)
class GivenBenefit:
    """A benefit in force, and what gives it.

    Attributes:
        giver: name of the ladder, or `paid:` and the code of a plan.
        version: of the ladder or plan.
        position: among the giver's benefits, from 0.
    """

    giver: str
    version: int
    position: int
    benefit: Benefit


def early_minutes(benefits: Iterable[Benefit]) -> int:
    """How much earlier flash sales open by the best of the benefits, minutes; 0 for not at all."""
    minutes = (each.early_minutes or 0 for each in benefits if each.kind == EARLY_ACCESS)
    return max(minutes, default=0)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of one kind of benefit: its limits, and whether the kind needs it."""

    kind: str
    least: int
    most: int
    is_needed: bool = False


_FIGURES: Mapping[str, _Figure] = {
    "percentOffBps": _Figure(PERCENT_OFF, 1, WHOLE_BP, is_needed=True),
    "pointsMultiplierBps": _Figure(POINTS_MULTIPLIER, WHOLE_BP, MULTIPLIER_BPS_MAX, is_needed=True),
    "earlyMinutes": _Figure(EARLY_ACCESS, 1, EARLY_MINUTES_MAX),
    "price": _Figure(MEMBER_PRICE, 0, AMOUNT_MAX, is_needed=True),
    "minSpend": _Figure(GIFT, 1, AMOUNT_MAX),
}


def benefit_problems(path: str, benefits: Sequence[Benefit]) -> list[list[str]]:
    """Every fault of benefits as (path, sentence), in input order.

    Args:
        path: what precedes `benefits`; empty, or with a full stop at its end.

    Source: docs/rules/tiers.md, rule 8.
    """
    problems = []
    if len(benefits) > BENEFITS_MAX:
        problems.append([f"{path}benefits", f"must have at most {BENEFITS_MAX} benefits"])
    for index, benefit in enumerate(benefits[:BENEFITS_MAX]):
        at = f"{path}benefits.{index}"
        problems += name_problems(f"{at}.kind", benefit.kind)
        problems += name_problems(f"{at}.title", benefit.title)
        problems += _figure_problems(at, benefit)
        for name, text in (
            ("entitlement", benefit.entitlement),
            ("titleEn", benefit.title_en),
            ("giftSku", benefit.gift_sku),
        ):
            if text is not None:
                problems += name_problems(f"{at}.{name}", text)
        if benefit.gift_sku is not None and benefit.kind != GIFT:
            problems.append([f"{at}.giftSku", "must be left out except for GIFT"])
        if benefit.min_spend_minor is not None and benefit.gift_sku is None:
            problems.append([f"{at}.minSpend", "must be given with giftSku alone"])
        if benefit.kind == GIFT and benefit.gift_sku and benefit.min_spend_minor is None:
            problems.append([f"{at}.minSpend", "must be given with giftSku"])
        problems += _scope_problems(at, benefit)
    return problems


def name_problems(path: str, name: str) -> list[list[str]]:
    """The fault of a name, if it has one."""
    if not is_title(name, longest=NAME_MAX):
        return [[path, f"must have 1 to {NAME_MAX} characters and no control character"]]
    return []


def _figure_problems(at: str, benefit: Benefit) -> list[list[str]]:
    values = {
        "percentOffBps": benefit.percent_off_bps,
        "pointsMultiplierBps": benefit.points_multiplier_bps,
        "earlyMinutes": benefit.early_minutes,
        "price": benefit.price_minor,
        "minSpend": benefit.min_spend_minor,
    }
    problems = []
    for name, value in values.items():
        figure = _FIGURES[name]
        is_its_kind = benefit.kind == figure.kind
        is_fine = (
            not (is_its_kind and figure.is_needed)
            if value is None
            else is_its_kind and figure.least <= value <= figure.most
        )
        if not is_fine:
            problems.append(
                [f"{at}.{name}", f"must be {figure.least} to {figure.most} for {figure.kind}"]
            )
    return problems


def _scope_problems(at: str, benefit: Benefit) -> list[list[str]]:
    problems = []
    for name, limits, kinds in (
        ("skus", benefit.skus, (PERCENT_OFF, MEMBER_PRICE)),
        ("categoryIds", benefit.category_ids, (PERCENT_OFF,)),
    ):
        if limits is None:
            if name == "skus" and benefit.kind == MEMBER_PRICE:
                problems.append([f"{at}.skus", "must be given for MEMBER_PRICE"])
        elif benefit.kind not in kinds:
            problems.append([f"{at}.{name}", f"must be left out except for {' and '.join(kinds)}"])
        elif not 1 <= len(limits) <= SCOPE_MAX:
            problems.append([f"{at}.{name}", f"must name 1 to {SCOPE_MAX}, or be left out"])
        elif any(not 1 <= len(each) <= TEXT_MAX for each in limits):
            problems.append([f"{at}.{name}", f"must each have 1 to {TEXT_MAX} characters"])
    return problems
