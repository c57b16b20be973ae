"""What a backend knows of its alliance."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class AllianceFacts:
    """What a backend knows of its alliance."""

    currency: str
    zone: ZoneInfo
    alliance_merchant_id: str
