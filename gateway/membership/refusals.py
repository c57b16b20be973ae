"""Every "no" of membership that is not shared."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.refusals import Refusal, add_chinese


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


add_chinese(
    {
        "MEMBER_FROZEN": "该会员已被冻结。",
        "VERIFICATION_FAILED": "验证码错误、已使用或已过期。",
    }
)
