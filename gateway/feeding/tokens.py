"""Tokens for a feed, signed with the development key of its data directory."""

from __future__ import annotations

import time
from pathlib import Path

from gateway.access.signing_keys import DevelopmentKey
from gateway.access.tokens import development_token
from gateway.settings import read_settings
from kernel.callers import Caller, CallerKind

LIFETIME_S = 24 * 3_600


class FeedTokens:
    """Makes tokens of every kind, good for a day."""

    def __init__(self, directory: Path) -> None:
        self._key = DevelopmentKey.open(directory)
        self._audience = read_settings().token_audience

    def admin(self, name: str) -> str:
        """A token of the admin with that name."""
        return self._of(CallerKind.ADMIN, name)

    def merchant(self, merchant_id: str) -> str:
        """A token of that merchant."""
        return self._of(CallerKind.MERCHANT, merchant_id)

    def member(self, member_id: str) -> str:
        """A token of that member."""
        return self._of(CallerKind.MEMBER, member_id)

    def _of(self, kind: CallerKind, subject: str) -> str:
        return development_token(
            self._key,
            Caller(kind, subject),
            audience=self._audience,
            now=time.time(),
            lifetime_s=LIFETIME_S,
        )
