"""What a message says, and when it is tried again. Pure.

Source: docs/rules/outbox.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kernel.clock import from_micros
from kernel.graphql import format_datetime
from kernel.ids import derived_id
from ledger.reports.months import label_of

REJECTIONS_MAX = 8
"""A message with so many rejections that count is parked."""

_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 900.0


@dataclass(frozen=True, slots=True)
class Message:
    """Something to tell.

    Attributes:
        message_id: the same at every delivery; whoever gets it twice drops the second.
        stream: messages of one stream are delivered in their order: a card's id, or else a
            merchant's.
        topic: what kind of thing happened.
        payload: JSON text.
        created_at: microseconds.
    """

    message_id: str
    stream: str
    topic: str
    payload: str
    created_at: int


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row, one or more: doubling, up to 15 minutes."""
    return min(_FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), _LONGEST_PAUSE_S)


def event_message(
    ledger_id: str,
    lane: int,
    tx: Sequence[Any],
    lines: Sequence[Sequence[Any]],
    legs: Sequence[Sequence[Any]],
) -> Message:
    """The message of one transaction of the books.

    Books that were restored count on from the backup: what they book then has numbers that others
    had before, so the id is derived from the whole row.

    Args:
        tx: seq, kind, card, merchant, order number, effect, record, month, origin month, reason.
        lines: of the card: kind, points, coins, points after, coins after.
        legs: of settlement: party, kind, amount, points, rule version, order number.
    """
    seq, kind, card_id, merchant_id, order_no, at, created_at, month, origin, reason = tx
    message_id = derived_id("msg", ledger_id, "event", str(lane), *map(str, tx))
    data = {
        "transaction": f"{lane}-{seq}",
        "cardId": card_id,
        "merchantId": merchant_id,
        "orderNo": order_no,
        "effectiveAt": format_datetime(from_micros(at)),
        "period": label_of(month),
        "originPeriod": None if origin is None else label_of(origin),
        "reason": reason,
        "card": [
            dict(
                zip(
                    ("kind", "points", "coinsMinor", "pointsAfter", "coinsAfterMinor"),
                    each,
                    strict=True,
                )
            )
            for each in lines
        ],
        "settlement": [
            dict(
                zip(
                    ("party", "kind", "amountMinor", "points", "ruleVersion", "orderNo"),
                    each,
                    strict=True,
                )
            )
            for each in legs
        ],
    }
    return Message(
        message_id=message_id,
        stream=card_id or merchant_id or "",
        topic=f"ledger.{kind.lower()}",
        payload=payload_of(f"ledger.{kind.lower()}", created_at, data),
        created_at=created_at,
    )


def notice_message(
    ledger_id: str,
    card_id: str,
    expires_at: int,
    *,
    last_day: str,
    days: int,
    points: int,
    now: int,
) -> Message:
    """The message that points of a card will expire.

    Restored books may announce the same expiry anew, of other points: its id is derived from all
    that it says.
    """
    said = map(str, (expires_at, days, points, now))
    message_id = derived_id("msg", ledger_id, "notice", card_id, *said)
    data = {
        "cardId": card_id,
        "points": points,
        "lastDay": last_day,
        "expiresAt": format_datetime(from_micros(expires_at)),
        "daysAhead": days,
    }
    topic = "points.expiring"
    return Message(message_id, card_id, topic, payload_of(topic, now, data), now)


def payload_of(topic: str, at: int, data: dict[str, Any]) -> str:
    """The JSON text of a message."""
    told = {"type": topic, "timestamp": format_datetime(from_micros(at)), "data": data}
    return orjson.dumps(told).decode()
