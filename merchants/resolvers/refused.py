"""The one answer to whoever asks for what is not theirs, or does not exist."""

from __future__ import annotations

from kernel.graphql import Forbidden


def not_yours() -> Forbidden:
    """The same error for both, so that nobody learns which ids exist."""
    return Forbidden("There is no such thing, or you may not see it.")
