"""What the ledger shows of cards: balances, expiring points, histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from ledger.contract import CardStanding
from ledger.families.family_books import names_of
from ledger.rules.state import CardEntryKind

_OF_CARDS = "lane IN (SELECT lane FROM lane_head) AND card_id IN :cards"
_STANDINGS = Prepared(
    f"""
SELECT card_id,
  sum(CASE WHEN asset = 'POINTS' AND active_at <= :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'POINTS' THEN held ELSE 0 END),
  sum(CASE WHEN asset = 'POINTS' AND active_at > :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'COINS' AND active_at <= :now AND expires_at > :now
      THEN remaining - held ELSE 0 END),
  sum(CASE WHEN asset = 'COINS' THEN held ELSE 0 END)
FROM lot WHERE {_OF_CARDS} AND remaining > 0 GROUP BY card_id
""",
    lists=("cards",),
)
_DEBTS = Prepared(
    f"SELECT card_id, sum(open) FROM debt WHERE {_OF_CARDS} AND open > 0 GROUP BY card_id",
    lists=("cards",),
)
_EXPIRING = Prepared(
    f"""
SELECT card_id, expires_at, sum(remaining - held) FROM lot
WHERE {_OF_CARDS} AND asset = 'POINTS' AND remaining > 0 AND remaining > held
  AND active_at <= :now AND expires_at > :now AND expires_at <= :until
GROUP BY card_id, expires_at ORDER BY card_id, expires_at
""",
    lists=("cards",),
)
_ENTRIES = """
SELECT c.lane, c.seq, c.leg, t.created_at, c.at, c.kind, c.points, c.coins, c.merchant_id,
  c.order_no, c.points_after, c.coins_after
FROM card_entry c JOIN ledger_tx t ON t.lane = c.lane AND t.seq = c.seq
WHERE c.lane IN (SELECT lane FROM lane_head) AND """
_CARD_ENTRIES = Prepared(
    _ENTRIES
    + """c.card_id = :card AND (c.seq, c.leg) < (:seq, :leg)
ORDER BY c.seq DESC, c.leg DESC LIMIT :limit
"""
)
_FAMILY_ENTRIES = Prepared(
    _ENTRIES
    + """c.card_id IN :cards
  AND (t.created_at, c.lane, c.seq, c.leg) < (:recorded, :lane, :seq, :leg)
ORDER BY t.created_at DESC, c.lane DESC, c.seq DESC, c.leg DESC LIMIT :limit
""",
    lists=("cards",),
)


@dataclass(frozen=True, slots=True)
class CardEntryRow:
    """One booking on a card; `at` in microseconds."""

    lane: int
    seq: int
    leg: int
    recorded_at: int
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
    meant = names_of(connection, card_ids)
    asked = list(dict.fromkeys(name for names in meant.values() for name in names))
    values = {"cards": asked, "now": now, "until": until}
    points_by_card: dict[str, dict[int, int]] = {}
    for card_id, expires_at, points in connection.execute(_EXPIRING, values):
        points_by_card.setdefault(card_id, {})[expires_at] = points
    answers = []
    for card_id in card_ids:
        sums: dict[int, int] = {}
        for name in meant[card_id]:
            for expires_at, points in points_by_card.get(name, {}).items():
                sums[expires_at] = sums.get(expires_at, 0) + points
        answers.append(sorted(sums.items()))
    return answers


def read_card_entries(
    connection: Connection, card_id: str, *, before: tuple[int, int, int, int], limit: int
) -> list[CardEntryRow]:
    """Bookings on a card, the newest first, older than `before` = (recorded at, lane, seq, leg).

    Those of cards that were merged into it are among them, with the balances that they had.
    """
    names = names_of(connection, [card_id])[card_id]
    recorded, lane, seq, leg = before
    values = {"seq": seq, "leg": leg, "limit": limit}
    if len(names) == 1:  # Its own order is that of its numbers, which are indexed.
        rows = connection.execute(_CARD_ENTRIES, {**values, "card": names[0]})
    else:
        values |= {"recorded": recorded, "lane": lane}
        rows = connection.execute(_FAMILY_ENTRIES, {**values, "cards": names})
    return [
        CardEntryRow(lane, seq, leg, recorded, at, CardEntryKind(kind), *rest)
        for lane, seq, leg, recorded, at, kind, *rest in rows
    ]


def read_standings(
    connection: Connection, card_ids: Sequence[str], *, now: int
) -> list[CardStanding]:
    """What each card has, in the order of `card_ids`; zeros for an unknown card.

    A card that was merged has what the survivor has, what open checkouts hold of either included.
    """
    meant = names_of(connection, card_ids)
    asked = list(dict.fromkeys(name for names in meant.values() for name in names))
    values = {"cards": asked, "now": now}
    owed: dict[str, int] = {row[0]: row[1] for row in connection.execute(_DEBTS, values)}
    found = {row[0]: row[1:] for row in connection.execute(_STANDINGS, values)}
    standings = []
    for card_id in card_ids:
        rows = [found[name] for name in meant[card_id] if name in found]
        sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * 5
        standings.append(
            CardStanding(
                card_id=card_id,
                available=sums[0],
                held=sums[1],
                pending=sums[2],
                debt=sum(owed.get(name, 0) for name in meant[card_id]),
                coins_available=sums[3],
                coins_held=sums[4],
            )
        )
    return standings
