"""What the ledger shows of cards: balances, expiring points, histories."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection

from ledger.contract import CardStanding

_STANDINGS = """
SELECT card_id,
  sum(CASE WHEN asset = 'POINTS' AND active_at <= :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'POINTS' THEN held ELSE 0 END),
  sum(CASE WHEN asset = 'POINTS' AND active_at > :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'COINS' AND active_at <= :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'COINS' THEN held ELSE 0 END)
FROM lot
WHERE lane = 0 AND card_id IN (SELECT value FROM json_each(:cards)) AND remaining > 0
GROUP BY card_id
"""
_DEBTS = """
SELECT card_id, sum(open) FROM debt
WHERE lane = 0 AND card_id IN (SELECT value FROM json_each(:cards)) AND open > 0
GROUP BY card_id
"""


def read_standings(
    connection: Connection, card_ids: Sequence[str], *, now: int
) -> list[CardStanding]:
    """What each card has, in the order of `card_ids`; zeros for an unknown card."""
    values = {"cards": orjson.dumps(list(dict.fromkeys(card_ids))).decode(), "now": now}
    debts = connection.exec_driver_sql(_DEBTS, values)
    owed: dict[str, int] = {row[0]: row[1] for row in debts}
    found = {row[0]: row for row in connection.exec_driver_sql(_STANDINGS, values)}
    standings = []
    for card_id in card_ids:
        row = found.get(card_id, (card_id, 0, 0, 0, 0, 0))
        standings.append(
            CardStanding(
                card_id=card_id,
                available=row[1],
                held=row[2],
                pending=row[3],
                debt=owed.get(card_id, 0),
                coins_available=row[4],
                coins_held=row[5],
            )
        )
    return standings
