"""Who asks: the one value that authentication yields and every rule about rights reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    """Kind of token; also the scope that the schema requires."""

    MEMBER = "member"
    MERCHANT = "merchant"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    Attributes:
        kind: kind of token.
        subject: member id, merchant id, or the admin's name.
        store_id: the store a merchant token is bound to; None for the whole merchant.
        device: the till or device of a merchant token; None when not named.
        card_id: the one card of a member token, looked up when it was verified; None for others.
    """

    kind: CallerKind
    subject: str
    store_id: str | None = None
    device: str | None = None
    card_id: str | None = None

    @property
    def key(self) -> str:
        """Names the caller in idempotency records: the same for every token of one subject."""
        return f"{self.kind}:{self.subject}"

    @property
    def is_admin(self) -> bool:
        """Whether this is an alliance admin."""
        return self.kind is CallerKind.ADMIN

    def is_member(self, member_id: str) -> bool:
        """Whether this is that member."""
        return self.kind is CallerKind.MEMBER and self.subject == member_id

    def is_merchant(self, merchant_id: str) -> bool:
        """Whether this is that merchant."""
        return self.kind is CallerKind.MERCHANT and self.subject == merchant_id

    def may_act_for(self, merchant_id: str) -> bool:
        """Whether this is that merchant, or an admin."""
        return self.is_admin or self.is_merchant(merchant_id)

    def may_decide_for(self, merchant_id: str) -> bool:
        """Whether this is that merchant as a whole, no till of one store, or an admin."""
        return self.may_act_for(merchant_id) and self.store_id is None
