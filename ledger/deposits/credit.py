"""How much a merchant may owe, and what deposit it should leave. Pure.

Source: docs/rules/deposits.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from kernel.refusals import Refusal

PERIODS_AVERAGED = 3
"""The closed periods that a required deposit is averaged over."""

LIMIT_PERCENT = 120


@dataclass(eq=False)
class DepositTooLow(Refusal):
    """The deposit does not hold so much beyond what a merchant that leaves still has to pay.

    Attributes:
        balance_minor: what it holds.
        owed_minor: what the merchant has to pay first; 0 unless it leaves.
    """

    balance_minor: int
    owed_minor: int = 0


@dataclass(eq=False)
class DepositHeld(Refusal):
    """The deposit of a merchant that leaves stays until its customers' returns are over.

    Attributes:
        held_until: RFC 3339 instant.
    """

    held_until: str
    retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Credit:
    """Where a merchant stands; minor units.

    Attributes:
        balance: its deposit, ≥ 0.
        required: the deposit that it should leave, ≥ 0.
        owed: what it has to pay for the open periods, ≥ 0.
        is_policed: whether the alliance requires deposits of this merchant.
    """

    balance: int
    required: int
    owed: int
    is_policed: bool

    @property
    def limit(self) -> int:
        """What it may owe before it is suspended from issuing, rounded down."""
        return self.balance * LIMIT_PERCENT // 100

    @property
    def may_issue(self) -> bool:
        """Whether its sales earn points.

        Source: docs/rules/deposits.md, rule 3.
        """
        return not self.is_policed or self.owed <= self.limit


def required_deposit(closed_nets: Sequence[int]) -> int:
    """The average of what a merchant had to pay in each of its last closed periods, rounded up.

    Args:
        closed_nets: nets of the last closed periods, + receives, − pays; a period in which it
            received counts as 0.

    Source: docs/rules/deposits.md, rule 2.
    """
    if not closed_nets:
        return 0
    paid = sum(max(0, -net) for net in closed_nets)
    return -(-paid // len(closed_nets))
