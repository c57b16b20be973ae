"""SQL of tiers that are held, and of the evidence for them. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.ladders.evaluation import Cause, Evaluation, Held
from merchants.tables import NEVER

HeldKey = tuple[str, str, str]
"""merchant_id, card_id, name of the ladder."""

_COLUMNS = "merchant_id, card_id, ladder, rule, version, rank, valid_until, as_of"
_READ = Prepared(
    "SELECT h.merchant_id, h.card_id, h.ladder, h.rule, h.version, h.rank, h.valid_until, h.as_of"
    f" FROM {EACH_KEY} tier_held AS h WHERE {matches('h.merchant_id', 'h.card_id')}"
)
_WRITE = Prepared(
    f"INSERT INTO tier_held ({_COLUMNS}) VALUES (:merchant_id, :card_id, :ladder, :rule, :version,"
    " :rank, :valid_until, :as_of) ON CONFLICT (merchant_id, card_id, ladder) DO UPDATE SET"
    " rule = excluded.rule, version = excluded.version, rank = excluded.rank,"
    " valid_until = excluded.valid_until, as_of = excluded.as_of"
)
_DUE = Prepared(
    "SELECT merchant_id, card_id, ladder FROM tier_held WHERE valid_until <= :now"
    " ORDER BY valid_until, merchant_id, card_id, ladder LIMIT :limit"
)
_EVIDENCE = (
    "at, cause, reference, version, window_from, figure, rank_before, rank_after, valid_until"
)
_LOG = Prepared(
    f"INSERT INTO tier_evaluation (merchant_id, card_id, ladder, {_EVIDENCE}) VALUES"
    " (:merchant_id, :card_id, :ladder, :at, :cause, :reference, :version, :window_from, :figure,"
    " :rank_before, :rank_after, :valid_until) ON CONFLICT DO NOTHING"
)
_PAGE = Prepared(
    f"SELECT {_EVIDENCE} FROM tier_evaluation WHERE merchant_id = :merchant_id"
    " AND card_id = :card_id AND ladder = :ladder"
    " AND (at, cause, reference) < (:at, :cause, :reference)"
    " ORDER BY at DESC, cause DESC, reference DESC LIMIT :limit"
)
_FLOORS = Prepared(
    "SELECT f.merchant_id, f.card_id, f.ladder, f.rank"
    f" FROM {EACH_KEY} tier_floor AS f WHERE {matches('f.merchant_id', 'f.card_id')}"
    " AND f.starts_at <= :at AND f.ends_at > :at"
    " ORDER BY f.merchant_id, f.card_id, f.ladder, f.rank"
)
_WRITE_FLOOR = Prepared(
    "INSERT INTO tier_floor (merchant_id, card_id, ladder, cause, rank, starts_at, ends_at)"
    " VALUES (:merchant_id, :card_id, :ladder, :cause, :rank, :starts_at, :ends_at)"
    " ON CONFLICT (merchant_id, card_id, ladder, cause) DO UPDATE SET rank = excluded.rank,"
    " starts_at = excluded.starts_at, ends_at = excluded.ends_at"
)
END = (2**62, "", "")
"""Behind every evaluation, newest first."""


@dataclass(frozen=True, slots=True)
class KeptTier:
    """A held tier as it is kept: as of an instant, under a rule."""

    held: Held
    rule: str
    as_of: datetime


def read_held(connection: Connection, keys: Sequence[Key]) -> dict[HeldKey, KeptTier]:
    """Tiers that are kept of these cards."""
    rows = connection.execute(_READ, {"keys": keys_parameter(keys)})
    return {
        (row.merchant_id, row.card_id, row.ladder): KeptTier(
            Held(row.rank, _instant(row.valid_until), row.version),
            row.rule,
            from_micros(row.as_of),
        )
        for row in rows
    }


def write_held(connection: Connection, key: HeldKey, kept: KeptTier) -> None:
    """Keeps the tier."""
    valid_until = kept.held.valid_until
    connection.execute(
        _WRITE,
        {
            **_key(key),
            "rule": kept.rule,
            "version": kept.held.version,
            "rank": kept.held.rank,
            "valid_until": NEVER if valid_until is None else to_micros(valid_until),
            "as_of": to_micros(kept.as_of),
        },
    )


def read_due(connection: Connection, *, now: int, limit: int) -> list[HeldKey]:
    """Tiers whose time is over, the longest first."""
    rows = connection.execute(_DUE, {"now": now, "limit": limit})
    return [(row.merchant_id, row.card_id, row.ladder) for row in rows]


def insert_evaluation(connection: Connection, key: HeldKey, evaluation: Evaluation) -> bool:
    """Whether this evaluation was not known, and is kept now."""
    window_from, valid_until = evaluation.window_from, evaluation.valid_until
    values = {
        **_key(key),
        "at": to_micros(evaluation.at),
        "cause": evaluation.cause,
        "reference": evaluation.reference,
        "version": evaluation.version,
        "window_from": None if window_from is None else to_micros(window_from),
        "figure": evaluation.figure,
        "rank_before": evaluation.rank_before,
        "rank_after": evaluation.rank_after,
        "valid_until": NEVER if valid_until is None else to_micros(valid_until),
    }
    return connection.execute(_LOG, values).rowcount == 1


def read_evaluations(
    connection: Connection, key: HeldKey, *, after: tuple[int, str, str] | None, limit: int
) -> list[Evaluation]:
    """Evaluations of a card in a ladder, newest first."""
    at, cause, reference = after or END
    given = {"at": at, "cause": cause, "reference": reference, "limit": limit}
    return [_evaluation(row) for row in connection.execute(_PAGE, {**_key(key), **given})]


def read_floors(connection: Connection, keys: Sequence[Key], *, at: int) -> dict[HeldKey, int]:
    """The highest floor in force of each card and ladder; an empty name is the primary."""
    rows = connection.execute(_FLOORS, {"keys": keys_parameter(keys), "at": at})
    return {(row.merchant_id, row.card_id, row.ladder): row.rank for row in rows}


def write_floor(
    connection: Connection,
    key: HeldKey,
    *,
    cause: str,
    rank: int,
    starts_at: datetime,
    ends_at: datetime,
) -> None:
    """Keeps a rank below which the card does not fall until `ends_at`, exclusive.

    Args:
        cause: tells it from the card's other floors; a second one of the same cause replaces it.
    """
    times = {"starts_at": to_micros(starts_at), "ends_at": to_micros(ends_at)}
    connection.execute(_WRITE_FLOOR, {**_key(key), "cause": cause, "rank": rank, **times})


def _key(key: HeldKey) -> dict[str, str]:
    return {"merchant_id": key[0], "card_id": key[1], "ladder": key[2]}


def _instant(micros: int) -> datetime | None:
    return None if micros == NEVER else from_micros(micros)


def _evaluation(row: Any) -> Evaluation:
    return Evaluation(
        at=from_micros(row.at),
        cause=Cause(row.cause),
        reference=row.reference,
        version=row.version,
        window_from=None if row.window_from is None else from_micros(row.window_from),
        figure=row.figure,
        rank_before=row.rank_before,
        rank_after=row.rank_after,
        valid_until=_instant(row.valid_until),
    )
