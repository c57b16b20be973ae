"""Whom the ledger asks which cards and merchants there are; it keeps neither itself."""

from __future__ import annotations

from typing import Protocol


class Registry(Protocol):
    """Knows the alliance's cards and merchants."""

    async def has_card(self, card_id: str) -> bool:
        """Whether a member has this card."""
        ...

    async def has_merchant(self, merchant_id: str) -> bool:
        """Whether the merchant was admitted; the alliance itself counts."""
        ...
