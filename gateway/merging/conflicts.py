"""What stands against making two members one, and which of them stays. Pure.

See docs/rules/merging.md, rules 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.membership.people import Consent, Member
from kernel.refusals import Refusal, add_chinese


class Conflict(StrEnum):
    """Why two members can not be merged."""

    MEMBER_FROZEN = "MEMBER_FROZEN"
    BIRTHDAY_CONFLICT = "BIRTHDAY_CONFLICT"
    MERGE_SPENT = "MERGE_SPENT"
    MERGE_TOO_OLD = "MERGE_TOO_OLD"
    MERGED_AGAIN = "MERGED_AGAIN"


ACCEPTABLE = frozenset({Conflict.BIRTHDAY_CONFLICT})
"""What an admin who saw the preview may overrule."""


@dataclass(eq=False)
class MergeBlocked(Refusal):
    """The two members cannot be merged.

    Attributes:
        conflicts: codes in capitals.
    """

    conflicts: list[str]


add_chinese({"MERGE_BLOCKED": "这两位会员目前不能合并。"})


def survivor_first(one: Member, other: Member) -> tuple[Member, Member]:
    """The member that stays, who joined earlier, and the one that becomes another name.

    Of two that joined at the same instant, `one` stays.
    """
    if other.joined_at < one.joined_at:
        return other, one
    return one, other


def conflicts_between(one: Member, other: Member) -> list[Conflict]:
    """What stands against the merge, in the order of the codes above."""
    found = []
    if one.is_frozen or other.is_frozen:
        found.append(Conflict.MEMBER_FROZEN)
    if None not in (one.birthday, other.birthday) and one.birthday != other.birthday:
        found.append(Conflict.BIRTHDAY_CONFLICT)
    return found


def narrower_consents(
    survivor: Iterable[Consent],
    merged: Iterable[Consent],
    *,
    survivor_joined: set[str],
    merged_joined: set[str],
) -> dict[tuple[str, str], bool]:
    """What the survivor allows from now on, where that is to be said anew: the narrower word.

    Where both are members of a merchant, only what both granted stays granted; elsewhere the word
    of the one who joined counts, but a withdrawal by either goes before a grant.

    Args:
        survivor, merged: the last word of each about each merchant and purpose.
        survivor_joined, merged_joined: ids of the merchants that each had joined.

    Source: docs/rules/merging.md, rule 6.
    """
    ours = {(each.merchant_id, each.purpose): each.granted for each in survivor}
    theirs = {(each.merchant_id, each.purpose): each.granted for each in merged}
    both = survivor_joined & merged_joined
    said: dict[tuple[str, str], bool] = {}
    for key in sorted({*ours, *theirs}):
        words = [words[key] for words in (ours, theirs) if key in words]
        granted = all(words) and (len(words) == 2 or key[0] not in both)
        if ours.get(key) != granted and (granted or key in ours):
            said[key] = granted
    return said
