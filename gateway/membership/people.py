"""Values of membership: members, cards, identities, memberships, consents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kernel.graphql import ChannelKind


class MemberStatus(StrEnum):
    """State of a member."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"
    MERGED = "MERGED"
    ERASED = "ERASED"


class CardStatus(StrEnum):
    """State of a card; a replaced card stays the same card."""

    ISSUED = "ISSUED"
    ACTIVE = "ACTIVE"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person tells about themselves; all of it may be left out."""

    display_name: str | None = None
    birthday: date | None = None
    gender: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person in the alliance, and where they first joined.

    Attributes:
        id: the survivor's when the one asked for was merged.
    """

    id: str
    status: MemberStatus
    display_name: str | None
    joined_merchant_id: str
    joined_store_id: str
    joined_channel: ChannelKind
    joined_at: datetime
    birthday: date | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether the member is frozen."""
        return self.status is MemberStatus.FROZEN


@dataclass(frozen=True, slots=True)
class Card:
    """A member's one card.

    Attributes:
        number: 16 digits, printed now.
        generation: counts the numbers it has had.
    """

    id: str
    member_id: str
    number: str
    status: CardStatus
    generation: int


@dataclass(frozen=True, slots=True)
class Membership:
    """The link between a member and one merchant.

    Attributes:
        made_by: names the request that made it.
        made_member: whether that request made the member too.
        is_told: whether the backends know of it.
    """

    id: str
    merchant_id: str
    member_id: str
    card_id: str
    store_id: str
    joined_at: datetime
    made_by: str
    made_member: bool
    is_told: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a credential names, as one merchant sees them.

    Attributes:
        is_proven: whether the credential was proven, and not only asserted by a merchant.
        membership: None when not joined there.
    """

    member_id: str
    status: MemberStatus
    card: Card
    is_proven: bool
    membership: Membership | None

    @property
    def is_frozen(self) -> bool:
        """Whether the member is frozen."""
        return self.status is MemberStatus.FROZEN


@dataclass(frozen=True, slots=True)
class Consent:
    """What a member allows one merchant, since when."""

    member_id: str
    merchant_id: str
    purpose: str
    granted: bool
    since: datetime
