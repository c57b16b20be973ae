"""What the ledger shows of cards: balances, expiring points, histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection

from ledger.contract import CardStanding
from ledger.merging import survivors_of
from ledger.sqlite import Lane
from ledger.state import CardEntryKind

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
_EXPIRING = """
SELECT card_id, expires_at, sum(remaining - held) FROM lot
WHERE lane = 0 AND card_id IN (SELECT value FROM json_each(:cards)) AND asset = 'POINTS'
  AND remaining > 0 AND remaining > held AND active_at <= :now
  AND expires_at > :now AND expires_at <= :until
GROUP BY card_id, expires_at ORDER BY card_id, expires_at
"""
_CARD_ENTRIES = """
SELECT seq, leg, at, kind, points, coins, merchant_id, order_no, points_after, coins_after
FROM card_entry WHERE lane = 0 AND card_id = ? AND (seq, leg) < (?, ?)
ORDER BY seq DESC, leg DESC LIMIT ?
"""
_OTHER_NAMES = "SELECT card_id FROM card_alias WHERE lane = 0 AND survivor_id = ? ORDER BY card_id"


@dataclass(frozen=True, slots=True)
class CardEntryRow:
    """One booking on a card; `at` in microseconds."""

    seq: int
    leg: int
    at: int
    kind: CardEntryKind
    points: int
    coins_minor: int
    merchant_id: str | None
    order_no: str | None
    points_after: int
    coins_after_minor: int


def read_expiring(
    connection: Connection, card_ids: Sequence[str], *, now: int, until: int
) -> list[list[tuple[int, int]]]:
    """Of each card, (expiry, available points) that expire up to `until`, earliest first."""
    values = {"cards": _json(card_ids), "now": now, "until": until}
    points_by_card: dict[str, list[tuple[int, int]]] = {}
    for card_id, expires_at, points in connection.exec_driver_sql(_EXPIRING, values):
        points_by_card.setdefault(card_id, []).append((expires_at, points))
    return [points_by_card.get(card_id, []) for card_id in card_ids]


def read_card_entries(
    connection: Connection, card_id: str, *, before: tuple[int, int], limit: int
) -> list[CardEntryRow]:
    """Bookings on a card, the newest first, older than `before` = (seq, leg).

    Those of cards that were merged into it are among them, with the balances that they had.
    """
    named = connection.exec_driver_sql(_OTHER_NAMES, (card_id,))
    cards = [card_id, *(row[0] for row in named)]
    statement = _CARD_ENTRIES.replace("card_id = ?", f"card_id IN ({', '.join('?' * len(cards))})")
    rows = connection.exec_driver_sql(statement, (*cards, *before, limit))
    return [CardEntryRow(row[0], row[1], row[2], CardEntryKind(row[3]), *row[4:]) for row in rows]


def read_standings(
    connection: Connection, card_ids: Sequence[str], *, now: int
) -> list[CardStanding]:
    """What each card has, in the order of `card_ids`; zeros for an unknown card.

    A card that was merged has what the survivor has.
    """
    meant = survivors_of(Lane(connection), card_ids)
    values = {"cards": _json(meant), "now": now}
    debts = connection.exec_driver_sql(_DEBTS, values)
    owed: dict[str, int] = {row[0]: row[1] for row in debts}
    found = {row[0]: row for row in connection.exec_driver_sql(_STANDINGS, values)}
    standings = []
    for card_id, meant_id in zip(card_ids, meant, strict=True):
        row = found.get(meant_id, (meant_id, 0, 0, 0, 0, 0))
        standings.append(
            CardStanding(
                card_id=card_id,
                available=row[1],
                held=row[2],
                pending=row[3],
                debt=owed.get(meant_id, 0),
                coins_available=row[4],
                coins_held=row[5],
            )
        )
    return standings


def _json(values: Sequence[str]) -> str:
    return orjson.dumps(list(dict.fromkeys(values))).decode()
