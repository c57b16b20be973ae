"""SQL of what a card did at a merchant, from the beginning, with every refund. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros
from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.ladders.evaluation import Deed, Reduction
from merchants.ladders.figures_sql import EVER
from merchants.port import OrderState

_SALES = Prepared(
    "SELECT s.merchant_id, s.card_id, s.order_id, s.placed_at,"
    " s.payable_minor - s.shipping_minor + s.coins_spent_minor AS sold_minor,"
    " r.refund_no, r.at, r.qualifying_minor, r.state_after"
    f" FROM {EACH_KEY} sale AS s"
    " LEFT JOIN refund AS r ON r.merchant_id = s.merchant_id AND r.order_id = s.order_id"
    f" WHERE {matches('s.merchant_id', 's.card_id')}"
    " ORDER BY s.merchant_id, s.card_id, s.placed_at, s.order_id, r.position"
)
_RECORDED = Prepared(
    "SELECT o.merchant_id, o.card_id, o.order_id, o.at_merchant_id, o.placed_at, e.refund_no,"
    f" e.at, e.qualifying_minor, e.is_ended FROM {EACH_KEY} recorded_order AS o"
    " LEFT JOIN recorded_event AS e ON e.merchant_id = o.merchant_id AND e.order_id = o.order_id"
    # The open range has the index of cards chosen, where the key of orders looks as good.
    f" WHERE {matches('o.merchant_id', 'o.card_id')} AND o.placed_at >= :since"
    " ORDER BY o.merchant_id, o.card_id, o.placed_at, o.order_id, e.at,"
    " e.qualifying_minor DESC, e.is_ended, e.refund_no"
)
_TASKS = Prepared(
    "SELECT g.merchant_id, g.card_id, g.code, g.reference, g.growth, g.at"
    f" FROM {EACH_KEY} growth_entry AS g WHERE {matches('g.merchant_id', 'g.card_id')}"
    " ORDER BY g.merchant_id, g.card_id, g.at, g.code, g.reference"
)


def read_deeds(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[Deed]]:
    """Everything that ever counted, by key; a card that did nothing is left out."""
    deeds: dict[Key, list[Deed]] = defaultdict(list)
    given = {"keys": keys_parameter(keys), "since": EVER}
    for (key, order_id), rows in _by_order(connection.execute(_SALES, given).all()).items():
        deeds[key].append(_sold(order_id, rows))
    for (key, order_id), rows in _by_order(connection.execute(_RECORDED, given).all()).items():
        deeds[key].append(_recorded(order_id, rows))
    for row in connection.execute(_TASKS, given):
        deeds[row.merchant_id, row.card_id].append(
            Deed(
                task_reference(row.code, row.reference),
                from_micros(row.at),
                orders=0,
                growth=row.growth,
            )
        )
    return deeds


def task_reference(code: str, reference: str) -> str:
    """How an evaluation names a task that was done."""
    return f"{code}:{reference}"


def _by_order(rows: Sequence[Any]) -> dict[tuple[Key, str], list[Any]]:
    by_order: dict[tuple[Key, str], list[Any]] = defaultdict(list)
    for row in rows:
        by_order[(row.merchant_id, row.card_id), row.order_id].append(row)
    return by_order


def _sold(order_id: str, rows: Sequence[Any]) -> Deed:
    return Deed(
        order_id,
        from_micros(rows[0].placed_at),
        amount_minor=rows[0].sold_minor,
        reductions=tuple(
            Reduction(
                row.refund_no,
                from_micros(row.at),
                int(row.state_after != OrderState.REFUNDED),
                row.qualifying_minor,
            )
            for row in rows
            if row.refund_no is not None
        ),
    )


def _recorded(order_id: str, rows: Sequence[Any]) -> Deed:
    """Of an order whose refund was heard of before its sale, the refund tells all there is."""
    sale = next((row for row in rows if not row.refund_no), rows[0])
    left, orders = sale.qualifying_minor, 1
    reductions = []
    for row in rows:
        if row.refund_no:
            left = min(left, row.qualifying_minor)
            orders = min(orders, 1 - row.is_ended)
            reductions.append(Reduction(row.refund_no, from_micros(row.at), orders, left))
    return Deed(
        order_id,
        from_micros(rows[0].placed_at),
        amount_minor=sale.qualifying_minor,
        source=rows[0].at_merchant_id,
        reductions=tuple(reductions),
    )
