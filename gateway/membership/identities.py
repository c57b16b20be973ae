"""How a credential is read, kept and shown. See docs/rules/identity.md."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.membership.cards import TOKEN_MAX, is_card_number
from kernel.refusals import InvalidInput

EMAIL_MAX = 254
VALUE_MAX = 128
ISSUER_MAX = 64
EVERYWHERE = ""
_PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_PHONE_FILLERS = re.compile(r"[ \-().]")
_NUMBER_FILLERS = re.compile(r"[ -]")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+")


class IdentityKind(StrEnum):
    """How a credential names a member."""

    PHONE = "PHONE"
    EMAIL = "EMAIL"
    WECHAT_UNION_ID = "WECHAT_UNION_ID"
    WECHAT_OPEN_ID = "WECHAT_OPEN_ID"
    CARD_TOKEN = "CARD_TOKEN"
    CARD_NUMBER = "CARD_NUMBER"
    MERCHANT_REFERENCE = "MERCHANT_REFERENCE"


FIELD_BY_KIND = {
    IdentityKind.PHONE: "phone",
    IdentityKind.EMAIL: "email",
    IdentityKind.WECHAT_UNION_ID: "wechatUnionId",
    IdentityKind.WECHAT_OPEN_ID: "wechatOpenId",
    IdentityKind.CARD_TOKEN: "cardToken",
    IdentityKind.CARD_NUMBER: "cardNumber",
    IdentityKind.MERCHANT_REFERENCE: "merchantReference",
}
CARD_KINDS = frozenset({IdentityKind.CARD_TOKEN, IdentityKind.CARD_NUMBER})
ISSUED_KINDS = frozenset({IdentityKind.WECHAT_OPEN_ID, IdentityKind.MERCHANT_REFERENCE})
# Kinds whose value nobody can guess or type in by chance: whoever knows it got it from its owner.
_KINDS_GOOD_EVERYWHERE = frozenset({IdentityKind.WECHAT_UNION_ID, IdentityKind.MERCHANT_REFERENCE})


@dataclass(frozen=True, slots=True)
class Credential:
    """A way to name a member, in its one spelling.

    Attributes:
        issuer: app or scheme; None for kinds without one.
    """

    kind: IdentityKind
    value: str
    issuer: str | None = None

    @property
    def names_card(self) -> bool:
        """Whether it names a card, and not a person."""
        return self.kind in CARD_KINDS

    @property
    def is_vouched_for(self) -> bool:
        """Whether it counts as proven although a merchant handed it in.

        Source: docs/rules/identity.md, rule 3.
        """
        return self.kind is IdentityKind.WECHAT_UNION_ID

    def scope_at(self, merchant_id: str) -> str:
        """Where it counts when this merchant asserts it: there alone, or `EVERYWHERE`.

        Source: docs/rules/identity.md, rules 4 and 5.
        """
        return EVERYWHERE if self.kind in _KINDS_GOOD_EVERYWHERE else merchant_id


@dataclass(frozen=True, slots=True)
class StatedCredential:
    """A credential as it came from outside, not yet read."""

    kind: IdentityKind
    value: str
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """One way to recognise a member, as it is kept.

    Attributes:
        asserted_by: merchant that handed it in; None when the member gave it.
    """

    member_id: str
    kind: IdentityKind
    issuer: str | None
    masked: str
    is_verified: bool
    asserted_by: str | None
    created_at: datetime


def credential_of(stated: StatedCredential) -> Credential:
    """The credential in its one spelling: E.164, lower-case e-mail, bare digits.

    Raises:
        InvalidInput: it is no credential of this kind.

    Source: docs/rules/identity.md, rule 1.
    """
    fault = ""
    kind, issuer = stated.kind, stated.issuer
    value = stated.value.strip()
    if kind is IdentityKind.PHONE:
        value = _phone(value)
        fault = "" if _PHONE.fullmatch(value) else "is E.164 like +8613800001234"
    elif kind is IdentityKind.EMAIL:
        value = value.lower()
        # No control character and nothing invisible: it would name another, or break what is sent.
        is_seen = value.isprintable()
        if len(value) > EMAIL_MAX or not is_seen or not _EMAIL.fullmatch(value):
            fault = f"is an e-mail address of at most {EMAIL_MAX} characters"
    elif kind is IdentityKind.CARD_NUMBER:
        value = _NUMBER_FILLERS.sub("", value)
        fault = "" if is_card_number(value) else "is 16 digits, the last of which checks the others"
    elif kind is IdentityKind.CARD_TOKEN:
        fault = "" if 1 <= len(value) <= TOKEN_MAX else f"has 1 to {TOKEN_MAX} characters"
    elif not _is_plain(value, longest=VALUE_MAX):
        fault = f"has 1 to {VALUE_MAX} printable characters"
    if kind in ISSUED_KINDS:
        issuer = (issuer or "").strip()
        if not _is_plain(issuer, longest=ISSUER_MAX):
            fault = f"needs an issuer of 1 to {ISSUER_MAX} printable characters"
    if fault:
        raise InvalidInput.at(f"credential.{FIELD_BY_KIND[kind]}", fault)
    return Credential(kind, value, issuer if kind in ISSUED_KINDS else None)


def value_hash(credential: Credential, *, secret: bytes) -> bytes:
    """What a credential is found by; the value itself is not kept.

    Source: docs/rules/identity.md, rule 2.
    """
    parts = ("identity", credential.kind, credential.issuer or "", credential.value)
    return hmac.digest(secret, "\0".join(parts).encode(), hashlib.sha256)


def masked(credential: Credential) -> str:
    """Enough of the value to recognise it: `138****1234`.

    Source: docs/rules/identity.md, rule 2.
    """
    value = credential.value
    if credential.kind is IdentityKind.PHONE:
        national = value.removeprefix("+86")
        shown = national if len(national) == 11 else value
        return f"{shown[:3]}****{shown[-4:]}" if len(shown) >= 10 else f"{shown[:3]}****"
    if credential.kind is IdentityKind.EMAIL:
        name, _, domain = value.partition("@")
        return f"{name[0]}****@{domain}"
    return "****" + (value[-4:] if len(value) >= 8 else value[-1:])


def _phone(text: str) -> str:
    bare = _PHONE_FILLERS.sub("", text)
    return "+" + bare[2:] if bare.startswith("00") else bare


def _is_plain(text: str, *, longest: int) -> bool:
    return 1 <= len(text) <= longest and text.isprintable()
