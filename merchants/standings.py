"""Standings of many cards at many merchants, read together; and new versions of ladders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput
from merchants.keys_sql import Key
from merchants.ladders_sql import (
    Figures,
    count_ladders,
    insert_ladder,
    read_figures_since,
    read_ladders,
    read_latest_version,
    read_lifetime_figures,
)
from merchants.tiers import (
    Ladder,
    Standing,
    TierMetric,
    TierWindow,
    ladder_problems,
    standing_in,
    window_end,
    window_start,
)

LADDERS_MAX = 20


def standings_of(
    connection: Connection, keys: Sequence[Key], *, now: datetime, zone: ZoneInfo
) -> dict[Key, tuple[Standing, ...]]:
    """Where each card stands in each ladder of its merchant, the primary first.

    Source: docs/rules/tiers.md.
    """
    ladders = read_ladders(connection, sorted({key[0] for key in keys}), at=to_micros(now))
    measured = [key for key in keys if key[0] in ladders]
    if not measured:
        return dict.fromkeys(keys, ())
    figures = _figures_by_window(connection, ladders, measured, now=now, zone=zone)
    none = Figures()
    standings: dict[Key, tuple[Standing, ...]] = {}
    for key in keys:
        standings[key] = tuple(
            standing_in(
                ladder,
                measure(ladder.metric, figures[ladder.window].get(key, none)),
                valid_until=window_end(ladder.window, now, zone),
            )
            for ladder in ladders.get(key[0], ())
        )
    return standings


def measure(metric: TierMetric, figures: Figures) -> int:
    """The figure that a ladder of this metric reads; growth is not collected and stays 0."""
    if metric is TierMetric.PURCHASE_COUNT:
        return figures.order_count
    if metric is TierMetric.AMOUNT:
        return figures.amount_minor
    return 0


def set_ladder(
    connection: Connection, merchant_id: str, wanted: Ladder, *, now: datetime
) -> Ladder:
    """The new version of the ladder, kept.

    The merchant's first ladder is its primary; a new version of the primary stays primary.

    Args:
        wanted: its `version` is ignored; `is_primary` asks for it to be made the primary.

    Raises:
        InvalidInput: the ladder has faults; all of them are told.

    Source: docs/rules/tiers.md, rules 3 and 4.
    """
    problems = ladder_problems(wanted.name, wanted.steps)
    if problems:
        raise InvalidInput(problems)
    before = read_latest_version(connection, merchant_id, name=wanted.name)
    count = count_ladders(connection, merchant_id)
    if before == 0 and count >= LADDERS_MAX:
        raise InvalidInput.at("name", f"A merchant has at most {LADDERS_MAX} ladders.")
    in_force = read_ladders(connection, [merchant_id], at=to_micros(now)).get(merchant_id, [])
    was_primary = any(each.is_primary and each.name == wanted.name for each in in_force)
    ladder = replace(
        wanted,
        version=before + 1,
        is_primary=wanted.is_primary or was_primary or count == 0,
    )
    insert_ladder(connection, merchant_id, ladder, set_at=to_micros(now))
    return ladder


def _figures_by_window(
    connection: Connection,
    ladders: dict[str, list[Ladder]],
    keys: Sequence[Key],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> dict[TierWindow, dict[Key, Figures]]:
    """One statement for each window that some ladder uses."""
    windows = {ladder.window for of_merchant in ladders.values() for ladder in of_merchant}
    figures: dict[TierWindow, dict[Key, Figures]] = {}
    for window in windows:
        start = window_start(window, now, zone)
        figures[window] = (
            read_lifetime_figures(connection, keys)
            if start is None
            else read_figures_since(connection, keys, since=to_micros(start))
        )
    return figures
