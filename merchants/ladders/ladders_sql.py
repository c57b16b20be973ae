"""SQL of ladders and of the figures they measure. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.ladders.tiers import Downgrade, Ladder, TierMetric, TierWindow
from merchants.stored import dump, load, steps_as_json, steps_from_json

_IN_FORCE = Prepared(
    'SELECT l.merchant_id, l.name, l.version, l.metric, l."window", l.steps, l.is_primary,'
    " l.effective_from, l.set_at, l.window_months, l.retention_months, l.downgrade,"
    " l.return_days, l.growth_per_major_unit"
    " FROM each_text(:merchant_ids) AS k CROSS JOIN ladder AS l"
    " WHERE l.merchant_id = k.one AND l.version ="
    " (SELECT MAX(m.version) FROM ladder AS m WHERE m.merchant_id = l.merchant_id"
    " AND m.name = l.name AND m.effective_from <= :at)"
)
_VERSION = Prepared(
    'SELECT merchant_id, name, version, metric, "window", steps, is_primary, effective_from,'
    " window_months, retention_months, downgrade, return_days, growth_per_major_unit"
    " FROM ladder WHERE merchant_id = :merchant_id AND name = :name AND version = :version"
)
_VERSIONS = Prepared(
    'SELECT merchant_id, name, version, metric, "window", steps, is_primary, effective_from,'
    " window_months, retention_months, downgrade, return_days, growth_per_major_unit"
    " FROM ladder WHERE merchant_id = :merchant_id AND name = :name AND effective_from <= :until"
    " ORDER BY effective_from, version"
)
_LATEST = Prepared(
    "SELECT MAX(version) FROM ladder WHERE merchant_id = :merchant_id AND name = :name"
)
_COUNT = Prepared("SELECT COUNT(DISTINCT name) FROM ladder WHERE merchant_id = :merchant_id")
_INSERT = Prepared(
    'INSERT INTO ladder (merchant_id, name, version, metric, "window", steps, is_primary,'
    " effective_from, set_at, window_months, retention_months, downgrade, return_days,"
    " growth_per_major_unit) VALUES (:merchant_id, :name, :version, :metric, :window, :steps,"
    " :is_primary, :effective_from, :set_at, :window_months, :retention_months, :downgrade,"
    " :return_days, :growth_per_major_unit)"
)
_ADD = Prepared(
    "INSERT INTO card_metric (merchant_id, card_id, order_count, amount_minor)"
    " VALUES (:merchant_id, :card_id, :orders, :amount_minor)"
    " ON CONFLICT (merchant_id, card_id) DO UPDATE SET"
    " order_count = card_metric.order_count + excluded.order_count,"
    " amount_minor = card_metric.amount_minor + excluded.amount_minor"
    " RETURNING order_count, amount_minor"
)
_SUBTRACT = Prepared(
    "UPDATE card_metric SET order_count = order_count + :orders,"
    " amount_minor = amount_minor + :amount_minor"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " RETURNING order_count, amount_minor"
)
_LIFETIME = Prepared(
    "SELECT m.merchant_id, m.card_id, m.order_count, m.amount_minor"
    f" FROM {EACH_KEY} card_metric AS m WHERE {matches('m.merchant_id', 'm.card_id')}"
)
_SINCE = Prepared(
    "SELECT merchant_id, card_id, SUM(orders), SUM(amount_minor) FROM ("
    "SELECT s.merchant_id, s.card_id, COUNT(*) AS orders,"
    f" SUM(s.qualifying_minor) AS amount_minor FROM {EACH_KEY} sale AS s"
    f" WHERE {matches('s.merchant_id', 's.card_id')} AND s.placed_at >= :since"
    " AND s.state <> 'REFUNDED' GROUP BY s.merchant_id, s.card_id"
    " UNION ALL SELECT r.merchant_id, r.card_id, COUNT(*), SUM(r.qualifying_minor)"
    f" FROM {EACH_KEY} recorded_order AS r"
    f" WHERE {matches('r.merchant_id', 'r.card_id')} AND r.placed_at >= :since"
    " AND r.is_refunded = 0 GROUP BY r.merchant_id, r.card_id"
    ") AS figures GROUP BY merchant_id, card_id"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What ladders measure of one card at one merchant; `growth` is of tasks alone."""

    order_count: int = 0
    amount_minor: int = 0
    growth: int = 0


def read_ladders(
    connection: Connection, merchant_ids: Sequence[str], *, at: int
) -> dict[str, list[Ladder]]:
    """Each merchant's ladders in force at `at` (microseconds), the primary first, then by name."""
    rows = connection.execute(
        _IN_FORCE, {"merchant_ids": dump(sorted(set(merchant_ids))), "at": at}
    ).all()
    primary: dict[str, tuple[tuple[int, int], str]] = {}
    for row in rows:
        if row.is_primary:
            claim = ((row.effective_from, row.set_at), row.name)
            primary[row.merchant_id] = max(primary.get(row.merchant_id, claim), claim)
    ladders: dict[str, list[Ladder]] = {}
    for row in rows:
        is_primary = primary.get(row.merchant_id, (None, None))[1] == row.name
        ladders.setdefault(row.merchant_id, []).append(_ladder(row, is_primary=is_primary))
    for of_merchant in ladders.values():
        of_merchant.sort(key=lambda ladder: (not ladder.is_primary, ladder.name))
    return ladders


def read_ladder_version(
    connection: Connection, merchant_id: str, *, name: str, version: int
) -> Ladder:
    """One version of a ladder, which exists; primary if it was when it was made."""
    row = connection.execute(
        _VERSION, {"merchant_id": merchant_id, "name": name, "version": version}
    ).one()
    return _ladder(row, is_primary=bool(row.is_primary))


def read_ladder_versions(
    connection: Connection, merchant_id: str, *, name: str, until: int
) -> list[Ladder]:
    """The versions that came into force until then, in that order; a higher one ends a lower."""
    rows = connection.execute(
        _VERSIONS, {"merchant_id": merchant_id, "name": name, "until": until}
    ).all()
    versions: list[Ladder] = []
    for row in rows:
        if not versions or row.version > versions[-1].version:
            versions.append(_ladder(row, is_primary=bool(row.is_primary)))
    return versions


def insert_ladder(connection: Connection, merchant_id: str, ladder: Ladder, *, set_at: int) -> None:
    """Keeps a new version."""
    connection.execute(
        _INSERT,
        {
            "merchant_id": merchant_id,
            "name": ladder.name,
            "version": ladder.version,
            "metric": ladder.metric,
            "window": ladder.window,
            "steps": dump(steps_as_json(ladder.steps)),
            "is_primary": int(ladder.is_primary),
            "effective_from": to_micros(ladder.effective_from),
            "set_at": set_at,
            "window_months": ladder.window_months,
            "retention_months": ladder.retention_months,
            "downgrade": ladder.downgrade,
            "return_days": ladder.return_days,
            "growth_per_major_unit": ladder.growth_per_major_unit,
        },
    )


def read_latest_version(connection: Connection, merchant_id: str, *, name: str) -> int:
    """The ladder's latest version; 0 when there is none."""
    found = connection.execute(_LATEST, {"merchant_id": merchant_id, "name": name}).scalar()
    return int(found or 0)


def count_ladders(connection: Connection, merchant_id: str) -> int:
    """How many ladders the merchant ever made."""
    return int(connection.execute(_COUNT, {"merchant_id": merchant_id}).scalar_one())


def add_figures(
    connection: Connection, *, merchant_id: str, card_id: str, orders: int, amount_minor: int
) -> Figures:
    """The card's lifetime figures, once they moved; what is taken away was added before."""
    values: dict[str, Any] = {
        "merchant_id": merchant_id,
        "card_id": card_id,
        "orders": orders,
        "amount_minor": amount_minor,
    }
    # An upsert checks the inserted row first, so a negative movement is an update alone.
    grows = orders >= 0 and amount_minor >= 0
    row = connection.execute(_ADD if grows else _SUBTRACT, values).one_or_none()
    return Figures() if row is None else Figures(row[0], row[1])


def read_lifetime_figures(connection: Connection, keys: Sequence[Key]) -> dict[Key, Figures]:
    """Lifetime figures by key; a card without orders is left out."""
    rows = connection.execute(_LIFETIME, {"keys": keys_parameter(keys)})
    return {(row[0], row[1]): Figures(row[2], row[3]) for row in rows}


def read_figures_since(
    connection: Connection, keys: Sequence[Key], *, since: int
) -> dict[Key, Figures]:
    """Figures of the orders placed from `since` (microseconds) on, counted from the orders."""
    rows = connection.execute(_SINCE, {"keys": keys_parameter(keys), "since": since})
    return {(row[0], row[1]): Figures(row[2], row[3]) for row in rows}


def _ladder(row: Any, *, is_primary: bool) -> Ladder:
    return Ladder(
        name=row.name,
        version=row.version,
        is_primary=is_primary,
        metric=TierMetric(row.metric),
        window=TierWindow(row.window),
        steps=steps_from_json(load(row.steps)),
        effective_from=from_micros(row.effective_from),
        window_months=row.window_months,
        retention_months=row.retention_months,
        downgrade=Downgrade(row.downgrade),
        return_days=row.return_days,
        growth_per_major_unit=row.growth_per_major_unit,
    )
