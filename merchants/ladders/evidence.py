"""What an evaluation of a tier takes and gives: deeds, rules, tiers that are held, evidence.

Source: docs/rules/tiers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from merchants.ladders.tiers import Ladder


class Cause(StrEnum):
    """Why a tier was evaluated."""

    ORDER = "ORDER"
    TASK = "TASK"
    REFUND = "REFUND"
    DUE = "DUE"
    RULE = "RULE"


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a refund leaves of an order; `orders` is 0 when it ends it."""

    refund_no: str
    at: datetime
    orders: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that counts: an order with its refunds, oldest first, or a task done.

    Attributes:
        source: merchant of the order, where a ladder weighs merchants; else empty.
        growth: growth value of a task.
    """

    id: str
    at: datetime
    orders: int = 1
    amount_minor: int = 0
    growth: int = 0
    source: str = ""
    reductions: tuple[Reduction, ...] = ()

    @property
    def cause(self) -> Cause:
        """What it is to an evaluation."""
        return Cause.ORDER if self.orders else Cause.TASK


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides from an instant on.

    Attributes:
        weights: basis points by merchant; one that is not named counts in full.
        policy_version: version of the merchant's policy that holds the weights; 0 for none.
    """

    at: datetime
    ladder: Ladder
    weights: Mapping[str, int] = field(default_factory=dict)
    policy_version: int = 0

    @property
    def key(self) -> str:
        """Tells this rule from the same ladder's others."""
        return f"{self.ladder.version}.{self.policy_version}"


@dataclass(frozen=True, slots=True)
class Held:
    """A tier that is held.

    Attributes:
        valid_until: until when it is kept whatever is measured; None: only as long as measured.
        version: of the ladder that decided last.
    """

    rank: int
    valid_until: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation that changed or renewed a tier, and what it was decided on.

    Attributes:
        reference: id of the order or task, or number of the refund; empty for others.
        window_from: orders counted from then on; None for all.
        figure: what the ladder measured.
    """

    at: datetime
    cause: Cause
    reference: str
    version: int
    window_from: datetime | None
    figure: int
    rank_before: int
    rank_after: int
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a history amounts to; `figure` is what the ladder measures at the end."""

    held: Held
    figure: int
    evaluations: tuple[Evaluation, ...]
