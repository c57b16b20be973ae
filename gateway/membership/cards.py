"""Card numbers, and the short-lived tokens that a member's app shows. See docs/rules/cards.md."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway.membership.people import Card

NUMBER_LENGTH = 16
NUMBER_TRIES = 10
TOKEN_LIFE = timedelta(seconds=60)
TOKEN_MAX = 120
_LEADING_DIGIT = "9"
_TOKEN = re.compile(r"([0-9a-hjkmnp-tv-z]{26})\.(\d{1,12})\.([0-9a-f]{32})", re.ASCII)
_CARD_PREFIX = "card_"


@dataclass(frozen=True, slots=True)
class DisplayToken:
    """A code that stands for a card until it expires."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ShownToken:
    """What a token says of itself; nothing of it is proven yet."""

    card_id: str
    expires_s: int
    proof: str


def card_number(card_id: str, *, generation: int, attempt: int, secret: bytes) -> str:
    """16 digits that nobody without the secret can foretell; the last is their check digit.

    Args:
        generation: counts the card's numbers; each gives another one.
        attempt: 0, or more when a number was taken already.

    Source: docs/rules/cards.md, rule 2.
    """
    digest = _proof(secret, "number", card_id, str(generation), str(attempt))
    digits = str(int.from_bytes(digest[:16])).zfill(NUMBER_LENGTH)
    body = _LEADING_DIGIT + digits[-(NUMBER_LENGTH - 2) :]
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """The digit that makes `body` followed by it pass Luhn's check (ISO/IEC 7812-1)."""
    return str(-_luhn_sum(body + "0") % 10)


def is_card_number(text: str) -> bool:
    """Whether the text is 16 digits whose last one checks the others."""
    return (
        len(text) == NUMBER_LENGTH
        and text.isascii()
        and text.isdigit()
        and _luhn_sum(text) % 10 == 0
    )


def display_token(card: Card, *, now: datetime, secret: bytes) -> DisplayToken:
    """A token that stands for the card for a minute, or until its number is replaced.

    Source: docs/rules/cards.md, rule 4.
    """
    expires_s = int((now + TOKEN_LIFE).timestamp())
    suffix = card.id.removeprefix(_CARD_PREFIX)
    proof = _token_proof(card, expires_s, secret)
    return DisplayToken(
        token=f"{suffix}.{expires_s}.{proof}",
        expires_at=datetime.fromtimestamp(expires_s, UTC),
    )


def read_token(token: str) -> ShownToken | None:
    """What a token says; None when it is no token at all."""
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    return ShownToken(_CARD_PREFIX + match[1], int(match[2]), match[3])


def stands_for(shown: ShownToken, card: Card, *, now: datetime, secret: bytes) -> bool:
    """Whether the token was made for this card and number, and has not expired.

    Source: docs/rules/cards.md, rule 4.
    """
    is_genuine = hmac.compare_digest(shown.proof, _token_proof(card, shown.expires_s, secret))
    return is_genuine and now.timestamp() < shown.expires_s


def _token_proof(card: Card, expires_s: int, secret: bytes) -> str:
    parts = ("token", card.id, str(card.generation), str(expires_s))
    return _proof(secret, *parts)[:16].hex()


def _proof(secret: bytes, *parts: str) -> bytes:
    return hmac.digest(secret, "\0".join(parts).encode(), hashlib.sha256)


def _luhn_sum(digits: str) -> int:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return sum(int(digit) for digit in digits[-1::-2]) + sum(
        value - 9 if value > 9 else value for value in doubled
    )
