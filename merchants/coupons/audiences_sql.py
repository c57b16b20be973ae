"""Reads what audiences are judged by. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.coupons.audiences import Audience, AudienceKind, Buying, belongs
from merchants.ladders.policies_sql import NO_POLICY, read_policies
from merchants.ladders.segments import months_before, segment_by
from merchants.ladders.standings import ranks_of

_BUYING = Prepared(
    "SELECT m.card_id, m.joined_at, COUNT(o.placed_at) AS orders,"
    " SUM(CASE WHEN o.placed_at >= :since THEN 1 ELSE 0 END) AS recent_orders,"
    " MAX(o.placed_at) AS last_order_at FROM membership AS m LEFT JOIN ("
    "SELECT s.card_id, s.placed_at FROM sale AS s WHERE s.merchant_id = :merchant_id"
    " AND s.card_id IN :card_ids AND s.state <> 'REFUNDED'"
    " UNION ALL SELECT r.card_id, r.placed_at FROM recorded_order AS r"
    " WHERE r.merchant_id = :merchant_id AND r.card_id IN :card_ids AND r.is_refunded = 0"
    ") AS o ON o.card_id = m.card_id WHERE m.merchant_id = :merchant_id"
    " AND m.card_id IN :card_ids GROUP BY m.card_id, m.joined_at ORDER BY m.card_id",
    lists=("card_ids",),
)


def read_buying(
    connection: Connection,
    audience: Audience,
    *,
    merchant_id: str,
    card_ids: Sequence[str],
    now: datetime,
    zone: ZoneInfo,
) -> dict[str, Buying]:
    """What an audience asks of each card, by card; cards that never joined are left out."""
    ranks: dict[str, dict[str, int]] = {}
    if audience.kind is AudienceKind.TIER:
        keys = [(merchant_id, card_id) for card_id in card_ids]
        found = ranks_of(connection, keys, now=now, zone=zone)
        ranks = {card_id: of_card for (_, card_id), of_card in found.items()}
    thresholds = NO_POLICY.segments
    if audience.kind is AudienceKind.SEGMENT:
        policies = read_policies(connection, [merchant_id], at=to_micros(now))
        thresholds = policies.get(merchant_id, NO_POLICY).segments
    rows: Any = connection.execute(
        _BUYING,
        {
            "merchant_id": merchant_id,
            "card_ids": list(card_ids),
            "since": to_micros(months_before(now, thresholds.window_months)),
        },
    )
    return {
        row.card_id: Buying(
            joined_at=row.joined_at,
            orders=row.orders,
            last_order_at=row.last_order_at,
            segment=segment_by(
                thresholds,
                now,
                joined_at=from_micros(row.joined_at),
                orders=row.orders,
                orders_in_window=row.recent_orders or 0,
            ),
            ranks=ranks.get(row.card_id, {}),
        )
        for row in rows
    }


def read_outsiders(
    connection: Connection,
    audience: Audience | None,
    *,
    merchant_id: str,
    card_ids: Sequence[str],
    now: datetime,
    zone: ZoneInfo,
) -> list[str]:
    """Those of the cards that the audience does not hold, in their order.

    Source: docs/rules/coupons.md, rules 17 and 18.
    """
    if audience is None or not card_ids:
        return []
    buying = read_buying(
        connection, audience, merchant_id=merchant_id, card_ids=card_ids, now=now, zone=zone
    )
    nothing = Buying()
    at = to_micros(now)
    return [
        card_id
        for card_id in card_ids
        if not belongs(audience, buying.get(card_id, nothing), now=at)
    ]
