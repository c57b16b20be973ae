"""One statement for many keys: (merchant_id, id) pairs go in as one JSON parameter.

The pairs drive a nested loop over an index. A row-value `IN (VALUES …)` would scan the table.
"""

from __future__ import annotations

from collections.abc import Sequence

from merchants.stored import dump

Key = tuple[str, str]
"""merchant_id, and the id of a card, a membership, a coupon or an order."""

EACH_KEY = "each(:keys) AS k CROSS JOIN"
"""`FROM {EACH_KEY} table WHERE {matches(…)}`; CROSS JOIN keeps the pairs outermost."""

MERCHANT = "k.one"
SECOND = "k.two"


def matches(merchant_id: str, second: str) -> str:
    """The condition that both columns are the pair's."""
    return f"{merchant_id} = {MERCHANT} AND {second} = {SECOND}"


def keys_parameter(keys: Sequence[Key]) -> str:
    """The pairs, each once, as the `keys` parameter."""
    return dump(sorted(set(keys)))
