"""What a join asks for, its limits, and what it answers. See docs/rules/identity.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.membership.identities import StatedCredential
from gateway.membership.people import Membership, Profile
from kernel.refusals import InvalidInput
from kernel.text import is_title

CONSENTS_MAX = 20
PURPOSE_MAX = 64
NAME_MAX = 80
WORDS_MAX = 64
OLDEST_BIRTHDAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Join:
    """Asks that a person joins a store's merchant.

    Attributes:
        consents: purposes agreed to.
        referral_code: code of the member who invited; None when nobody did.
    """

    request_id: str
    store_id: str
    credential: StatedCredential
    consents: tuple[str, ...]
    referral_code: str | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class Joined:
    """The person is a member of the merchant.

    Attributes:
        coupon_id: good for the order being placed now; None when there is none.
    """

    member_id: str
    card_id: str
    membership_id: str
    merchant_id: str
    already_member: bool
    coupon_id: str | None
    replayed: bool


def check_join(command: Join, *, now: datetime) -> None:
    """Accepts a join within its limits.

    Raises:
        InvalidInput: every fault found, in the order of the fields.

    Source: docs/rules/identity.md, rule 10.
    """
    problems: list[list[str]] = []
    if len(command.consents) > CONSENTS_MAX:
        problems.append(["consents", f"must have at most {CONSENTS_MAX} purposes"])
    for index, purpose in enumerate(command.consents[:CONSENTS_MAX]):
        check_words(problems, f"consents.{index}", purpose, longest=PURPOSE_MAX)
    check_words(problems, "referralCode", command.referral_code, longest=WORDS_MAX)
    profile = command.profile
    check_words(problems, "profile.displayName", profile.display_name, longest=NAME_MAX)
    if profile.birthday is not None and not OLDEST_BIRTHDAY <= profile.birthday <= now.date():
        problems.append(["profile.birthday", f"must lie between {OLDEST_BIRTHDAY} and today"])
    check_words(problems, "profile.gender", profile.gender, longest=WORDS_MAX)
    check_words(problems, "profile.region", profile.region, longest=WORDS_MAX)
    if problems:
        raise InvalidInput(problems)


def joined_outcome(
    membership: Membership, *, already_member: bool, coupon_id: str | None
) -> dict[str, Any]:
    """The answer as it is kept: `Joined` without `replayed`."""
    return {
        "member_id": membership.member_id,
        "card_id": membership.card_id,
        "membership_id": membership.id,
        "merchant_id": membership.merchant_id,
        "already_member": already_member,
        "coupon_id": coupon_id,
    }


def check_words(problems: list[list[str]], field: str, words: str | None, *, longest: int) -> None:
    """Notes a fault unless the words are left out, or 1 to `longest` printable characters."""
    if words is not None and not is_title(words, longest=longest):
        problems.append([field, f"must have 1 to {longest} printable characters"])
