"""Whom the ledger asks which cards and merchants there are; it keeps neither itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Registry(Protocol):
    """Knows the alliance's cards and merchants."""

    async def has_card(self, card_id: str) -> bool:
        """Whether a member has this card."""
        ...

    async def deposit_held_until(self, merchant_id: str) -> datetime | None:
        """Until when a leaving merchant's deposit stays; None of any other."""
        ...

    async def may_fund_grants(self, merchant_id: str) -> bool:
        """Whether a merchant that was admitted may pay for coins; none that leaves may."""
        ...

    async def has_merchant(self, merchant_id: str) -> bool:
        """Whether the merchant was admitted; the alliance itself counts."""
        ...
