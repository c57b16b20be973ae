"""What inputs have in common."""

from __future__ import annotations

from typing import TypeVar

import strawberry

T = TypeVar("T")

REPLAYED = "Whether this answers a repeat of an earlier request."


def given(value: T | None) -> T | None:
    """The value of an optional input field; None when it was left out."""
    return None if value is strawberry.UNSET else value
