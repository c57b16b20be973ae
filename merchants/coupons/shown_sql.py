"""SQL of coupons that tills of other merchants held or presented. The caller owns the transaction.

Source: docs/rules/coupons.md, rule 28.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.keys_sql import Key

_SHOW = Prepared(
    "INSERT INTO coupon_shown (merchant_id, coupon_id, shown_to)"
    " VALUES (:merchant_id, :coupon_id, :shown_to) ON CONFLICT DO NOTHING"
)
_SHOWN = Prepared(
    "SELECT merchant_id, coupon_id FROM coupon_shown WHERE merchant_id IN :merchant_ids"
    " AND coupon_id IN :coupon_ids AND shown_to = :shown_to ORDER BY merchant_id, coupon_id",
    lists=("merchant_ids", "coupon_ids"),
)


def show_coupons(
    connection: Connection, merchant_id: str, coupon_ids: Sequence[str], *, to: str
) -> None:
    """Lets the other merchant look at these coupons: its till held them, or was told who has."""
    for coupon_id in coupon_ids:
        connection.execute(
            _SHOW, {"merchant_id": merchant_id, "coupon_id": coupon_id, "shown_to": to}
        )


def read_shown(connection: Connection, keys: Sequence[Key], *, to: str) -> set[Key]:
    """Those of the coupons, by (merchant_id, coupon_id), that the other merchant may look at."""
    values = {
        "merchant_ids": sorted({key[0] for key in keys}),
        "coupon_ids": sorted({key[1] for key in keys}),
        "shown_to": to,
    }
    return {(row.merchant_id, row.coupon_id) for row in connection.execute(_SHOWN, values)}
