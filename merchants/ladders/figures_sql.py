"""SQL of what ladders measure beside orders alone: weighed orders, growth. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from kernel.statements import Prepared
from kernel.units import WHOLE_BP
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.ladders.ladders_sql import Figures, read_figures_since, read_lifetime_figures
from merchants.ladders.policies import TierPolicy

_BY_MERCHANT = Prepared(
    "SELECT r.merchant_id, r.card_id, r.at_merchant_id, COUNT(*) AS orders,"
    f" SUM(r.qualifying_minor) AS amount_minor FROM {EACH_KEY} recorded_order AS r"
    f" WHERE {matches('r.merchant_id', 'r.card_id')} AND r.placed_at >= :since"
    " AND r.is_refunded = 0 GROUP BY r.merchant_id, r.card_id, r.at_merchant_id"
)
_GROWTH = Prepared(
    "SELECT g.merchant_id, g.card_id, SUM(g.growth) AS growth"
    f" FROM {EACH_KEY} growth_entry AS g WHERE {matches('g.merchant_id', 'g.card_id')}"
    " AND g.at >= :since GROUP BY g.merchant_id, g.card_id"
)
EVER = -(2**62)
"""Before every instant."""


def read_figures(
    connection: Connection,
    keys: Sequence[Key],
    policies: Mapping[str, TierPolicy],
    *,
    since: int | None,
    with_growth: bool,
) -> dict[Key, Figures]:
    """What counts from `since` (microseconds; None: ever) on; a card without any is left out.

    Args:
        policies: by merchant; weights are those of the alliance's own.
        with_growth: also read the growth value of tasks.
    """
    weighed = [key for key in keys if key[0] in policies and policies[key[0]].weights]
    plain = [key for key in keys if key not in set(weighed)] if weighed else keys
    figures: dict[Key, Figures] = {}
    if plain:
        figures = (
            read_lifetime_figures(connection, plain)
            if since is None
            else read_figures_since(connection, plain, since=since)
        )
    start = EVER if since is None else since
    if weighed:
        figures |= _weighed(connection, weighed, policies, since=start)
    if with_growth:
        rows = connection.execute(_GROWTH, {"keys": keys_parameter(keys), "since": start})
        for row in rows:
            key = (row.merchant_id, row.card_id)
            figures[key] = replace(figures.get(key, Figures()), growth=row.growth)
    return figures


def _weighed(
    connection: Connection,
    keys: Sequence[Key],
    policies: Mapping[str, TierPolicy],
    *,
    since: int,
) -> dict[Key, Figures]:
    """Sums are rounded down once, over all merchants."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    rows = connection.execute(_BY_MERCHANT, {"keys": keys_parameter(keys), "since": since})
    for row in rows:
        weight = policies[row.merchant_id].weights.get(row.at_merchant_id, WHOLE_BP)
        total = sums[row.merchant_id, row.card_id]
        total[0] += weight * row.orders
        total[1] += weight * row.amount_minor
    return {
        key: Figures(orders // WHOLE_BP, amount // WHOLE_BP)
        for key, (orders, amount) in sums.items()
    }
