"""Every "no" of membership that is not shared."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.refusals import Refusal


@dataclass(eq=False)
class MemberFrozen(Refusal):
    """The member is frozen."""


@dataclass(eq=False)
class VerificationFailed(Refusal):
    """The code is wrong, used or too old.

    Attributes:
        attempts_left: tries left before a new code is needed.
    """

    attempts_left: int
