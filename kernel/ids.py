"""TypeIDs: opaque ids that tell their kind, and for a merchant's own things, the merchant.

A plain id is `prefix_` and a UUID in 26 characters of lower-case Crockford base 32. An id that
belongs to a merchant holds the merchant's 26 characters before its own.
"""

from __future__ import annotations

import hashlib
from typing import Protocol
from uuid import UUID

import uuid_utils

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_LENGTH = 26
MERCHANT_PREFIX = "mer"


class MalformedId(ValueError):
    """The text is no id of the expected kind."""


class IdSource(Protocol):
    """Makes ids that were never made before."""

    def new(self, prefix: str) -> str:
        """A plain id."""
        ...

    def new_within(self, prefix: str, merchant_id: str) -> str:
        """An id that embeds the merchant it belongs to."""
        ...


class RandomIds:
    """Ids from UUIDv7: they sort by the time they were made."""

    def new(self, prefix: str) -> str:
        """A plain id."""
        return f"{prefix}_{_encode(uuid_utils.uuid7().int)}"

    def new_within(self, prefix: str, merchant_id: str) -> str:
        """An id that embeds the merchant it belongs to."""
        return (
            f"{prefix}_{suffix_of(merchant_id, MERCHANT_PREFIX)}{_encode(uuid_utils.uuid7().int)}"
        )


class SeededIds:
    """The same ids in the same order for the same seed; for demonstrations and tests."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def new(self, prefix: str) -> str:
        """A plain id."""
        self._count += 1
        return derived_id(prefix, self._seed, str(self._count))

    def new_within(self, prefix: str, merchant_id: str) -> str:
        """An id that embeds the merchant it belongs to."""
        self._count += 1
        return derived_id_within(prefix, merchant_id, self._seed, str(self._count))


def derived_id(prefix: str, *parts: str) -> str:
    """The one id that these parts always give."""
    return f"{prefix}_{_encode(_digest(parts))}"


def derived_id_within(prefix: str, merchant_id: str, *parts: str) -> str:
    """The one id, embedding the merchant, that these parts always give."""
    return f"{prefix}_{suffix_of(merchant_id, MERCHANT_PREFIX)}{_encode(_digest(parts))}"


def prefix_of(text: str) -> str:
    """The kind that an id names; the empty string when the text is no id at all."""
    prefix, _, suffix = text.partition("_")
    if len(suffix) not in (_LENGTH, 2 * _LENGTH) or not _is_base32(suffix):
        return ""
    return prefix


def suffix_of(text: str, prefix: str) -> str:
    """The characters behind the prefix.

    Raises:
        MalformedId: the text is no id with this prefix.
    """
    if prefix_of(text) != prefix:
        raise MalformedId(f"not an id of kind {prefix!r}: {text[:80]!r}")
    return text[len(prefix) + 1 :]


def merchant_of(text: str) -> str:
    """The id of the merchant that an id embeds.

    Raises:
        MalformedId: the id embeds no merchant.
    """
    prefix = prefix_of(text)
    suffix = text[len(prefix) + 1 :]
    if not prefix or len(suffix) != 2 * _LENGTH:
        raise MalformedId(f"names no merchant: {text[:80]!r}")
    return f"{MERCHANT_PREFIX}_{suffix[:_LENGTH]}"


def is_id(text: str, prefix: str, *, within_merchant: bool = False) -> bool:
    """Whether the text is an id of this kind."""
    length = len(prefix) + 1 + (2 * _LENGTH if within_merchant else _LENGTH)
    return len(text) == length and prefix_of(text) == prefix


def _digest(parts: tuple[str, ...]) -> int:
    packed = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    value = int.from_bytes(hashlib.sha256(packed).digest()[:16])
    return UUID(int=value, version=5).int


def _encode(value: int) -> str:
    letters = []
    for _ in range(_LENGTH):
        letters.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(letters))


def _is_base32(text: str) -> bool:
    return all(letter in _VALUE for letter in text)
