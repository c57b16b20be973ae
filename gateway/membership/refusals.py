"""Every "no" of membership that is not shared."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.refusals import Refusal, add_chinese


@dataclass(eq=False)
class MemberFrozen(Refusal):
    """The member is frozen."""


@dataclass(eq=False)
class VerificationFailed(Refusal):
    """The code, or the display token, is wrong, used or too old.

    Attributes:
        attempts_left: tries left before a new code is needed.
    """

    attempts_left: int


@dataclass(eq=False)
class IdentityBelongsToAnother(Refusal):
    """Another member has this identity.

    Attributes:
        merge_possible: whether the two may be merged.
    """

    merge_possible: bool


@dataclass(eq=False)
class ErasureBlocked(Refusal):
    """The member has something left that would be lost.

    Attributes:
        conflicts: codes in capitals.
    """

    conflicts: list[str]


@dataclass(eq=False)
class CardNumberReplaced(Refusal):
    """The card has another number now; this one is refused for ever."""


add_chinese(
    {
        "MEMBER_FROZEN": "该会员已被冻结。",
        "VERIFICATION_FAILED": "验证码错误、已使用或已过期。",
        "IDENTITY_BELONGS_TO_ANOTHER": "该身份标识属于另一位会员。",
        "ERASURE_BLOCKED": "该会员还有会因此失去的权益或未完成的事项。",
        "CARD_NUMBER_REPLACED": "该卡号已被更换。",
    }
)
