"""SQL of taking coupons: each change is one conditional write. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.budgets_sql import give_back_cost, read_cost, spend_budget
from merchants.refusals import CouponBudgetSpent

_LOCK = Prepared(
    "UPDATE coupon SET state = 'LOCKED', attempt_id = :attempt_id, share_until = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id AND card_id = :card_id"
    " AND (state = 'ISSUED' OR share_until <= :at) AND valid_from <= :at AND valid_until > :at"
)
# Free it is taken only while its time lasts; one that the attempt locked in time is the attempt's.
_REDEEM = Prepared(
    "UPDATE coupon SET state = 'REDEEMED', attempt_id = :attempt_id, share_until = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id AND card_id = :card_id"
    " AND ((state = 'LOCKED' AND attempt_id = :attempt_id)"
    " OR ((state = 'ISSUED' OR share_until <= :at) AND valid_from <= :at AND valid_until > :at))"
)
_FREE = Prepared(
    "UPDATE coupon SET state = 'ISSUED', attempt_id = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id"
    " AND state = :state AND attempt_id = :attempt_id"
)
_USE = Prepared(
    "INSERT INTO coupon_use (merchant_id, coupon_id, attempt_id, state, store_id, order_id, at,"
    " cost_minor) VALUES (:merchant_id, :coupon_id, :attempt_id, :state, :store_id, :order_id,"
    " :at, :cost_minor) ON CONFLICT (merchant_id, coupon_id, attempt_id) DO UPDATE SET"
    " state = excluded.state, order_id = excluded.order_id, at = excluded.at,"
    " cost_minor = excluded.cost_minor"
)
_END_USE = Prepared(
    "UPDATE coupon_use SET state = :state WHERE merchant_id = :merchant_id"
    " AND coupon_id = :coupon_id AND attempt_id = :attempt_id"
)
_LIVE_USE = Prepared(
    "SELECT attempt_id, store_id, at FROM coupon_use WHERE merchant_id = :merchant_id"
    " AND coupon_id = :coupon_id AND state IN ('LOCKED','REDEEMED')"
)
_LOCKED_BY = Prepared(
    "SELECT coupon_id FROM coupon_use WHERE merchant_id = :merchant_id"
    " AND attempt_id = :attempt_id AND state = 'LOCKED' ORDER BY coupon_id"
)
_REDEEMED_BY = Prepared(
    "SELECT coupon_id, attempt_id FROM coupon_use WHERE merchant_id = :merchant_id"
    " AND order_id = :order_id AND state = 'REDEEMED' ORDER BY coupon_id"
)
_RETURNED_BY = Prepared(
    "SELECT coupon_id FROM coupon_use WHERE merchant_id = :merchant_id"
    " AND order_id = :order_id AND state = 'RETURNED'"
)
_RETURNED_AHEAD = Prepared(
    "INSERT INTO coupon_use (merchant_id, coupon_id, attempt_id, state, store_id, order_id, at,"
    " cost_minor) VALUES (:merchant_id, :coupon_id, :order_id, 'RETURNED', NULL, :order_id, :at, 0)"
    " ON CONFLICT DO NOTHING"
)
_RELEASED = Prepared(
    "SELECT coupon_ids FROM released_attempt"
    " WHERE merchant_id = :merchant_id AND attempt_id = :attempt_id"
)
_RELEASE = Prepared(
    "INSERT INTO released_attempt (merchant_id, attempt_id, coupon_ids)"
    " VALUES (:merchant_id, :attempt_id, :coupon_ids)"
)


@dataclass(frozen=True, slots=True)
class Taking:
    """Who takes a coupon, where and when (microseconds).

    Attributes:
        cost_minor: what it takes off, for its template's budget; None when that is not known.
    """

    merchant_id: str
    coupon_id: str
    card_id: str
    attempt_id: str
    store_id: str | None
    at: int
    order_id: str | None = None
    cost_minor: int | None = None

    @property
    def coupon(self) -> dict[str, str]:
        """The coupon's key, as arguments."""
        return {"merchant_id": self.merchant_id, "coupon_id": self.coupon_id}

    def values(self, **more: Any) -> dict[str, Any]:
        """As statement parameters."""
        return {
            "merchant_id": self.merchant_id,
            "coupon_id": self.coupon_id,
            "card_id": self.card_id,
            "attempt_id": self.attempt_id,
            "store_id": self.store_id,
            "order_id": self.order_id,
            "at": self.at,
            **more,
        }


@dataclass(frozen=True, slots=True)
class LiveUse:
    """Who has the coupon now; `at` in microseconds."""

    attempt_id: str
    store_id: str | None
    at: int


def lock_coupon(connection: Connection, taking: Taking) -> bool:
    """Whether the coupon was free and is locked for the attempt now.

    Raises:
        CouponBudgetSpent: it was free, and its template has no money left for it.
    """
    if connection.execute(_LOCK, taking.values()).rowcount == 0:
        return False
    spent = spend_budget(connection, **taking.coupon, cost_minor=taking.cost_minor)
    if spent is None:
        raise CouponBudgetSpent(taking.coupon_id)
    connection.execute(_USE, taking.values(state="LOCKED", cost_minor=spent))
    return True


def redeem_coupon(connection: Connection, taking: Taking) -> bool:
    """Whether the coupon was the attempt's, or free, and is redeemed for the order now.

    What the lock took from the budget stands, less what the sale did not need; without a lock
    the cost is taken now, and a coupon that the budget does not cover is not redeemed.
    """
    spent = read_cost(connection, **taking.coupon, attempt_id=taking.attempt_id)
    if not spent:
        spent = spend_budget(connection, **taking.coupon, cost_minor=taking.cost_minor)
        if spent is None:
            return False
    elif taking.cost_minor is not None and taking.cost_minor < spent:
        spend_budget(connection, **taking.coupon, cost_minor=taking.cost_minor - spent)
        spent = taking.cost_minor
    if connection.execute(_REDEEM, taking.values()).rowcount == 0:
        spend_budget(connection, **taking.coupon, cost_minor=-spent)
        return False
    connection.execute(_USE, taking.values(state="REDEEMED", cost_minor=spent))
    return True


def unlock_coupon(
    connection: Connection, *, merchant_id: str, coupon_id: str, attempt_id: str
) -> None:
    """Frees a coupon that the attempt locked."""
    _end_use(connection, merchant_id, coupon_id, attempt_id, was="LOCKED", becomes="RELEASED")


def return_coupon(
    connection: Connection, *, merchant_id: str, coupon_id: str, attempt_id: str
) -> None:
    """Gives a redeemed coupon back to its holder."""
    _end_use(connection, merchant_id, coupon_id, attempt_id, was="REDEEMED", becomes="RETURNED")


def read_live_use(connection: Connection, *, merchant_id: str, coupon_id: str) -> LiveUse | None:
    """Who has the coupon; None when nobody has."""
    row = connection.execute(
        _LIVE_USE, {"merchant_id": merchant_id, "coupon_id": coupon_id}
    ).one_or_none()
    return None if row is None else LiveUse(row.attempt_id, row.store_id, row.at)


def read_locked(connection: Connection, *, merchant_id: str, attempt_id: str) -> list[str]:
    """Coupons that the attempt has locked."""
    rows = connection.execute(_LOCKED_BY, {"merchant_id": merchant_id, "attempt_id": attempt_id})
    return list(rows.scalars())


def read_redeemed(
    connection: Connection, *, merchant_id: str, order_id: str
) -> list[tuple[str, str]]:
    """(coupon_id, attempt_id) of each coupon that the order still has redeemed."""
    rows = connection.execute(_REDEEMED_BY, {"merchant_id": merchant_id, "order_id": order_id})
    return [(row.coupon_id, row.attempt_id) for row in rows]


def read_returned(connection: Connection, *, merchant_id: str, order_id: str) -> set[str]:
    """Coupons of the order that went back to their holder."""
    rows = connection.execute(_RETURNED_BY, {"merchant_id": merchant_id, "order_id": order_id})
    return set(rows.scalars())


def write_returned(
    connection: Connection, *, merchant_id: str, coupon_id: str, order_id: str, at: int
) -> None:
    """Keeps that a coupon goes back, for when the sale that redeems it is heard of.

    No attempt is known yet, so the order stands for it.
    """
    connection.execute(
        _RETURNED_AHEAD,
        {"merchant_id": merchant_id, "coupon_id": coupon_id, "order_id": order_id, "at": at},
    )


def read_released(connection: Connection, *, merchant_id: str, attempt_id: str) -> str | None:
    """What the attempt's release freed, as it was kept; None when it was never released."""
    freed: str | None = connection.execute(
        _RELEASED, {"merchant_id": merchant_id, "attempt_id": attempt_id}
    ).scalar()
    return freed


def write_released(
    connection: Connection, *, merchant_id: str, attempt_id: str, coupon_ids: str
) -> None:
    """Leaves the mark that makes every later call of the attempt refused."""
    connection.execute(
        _RELEASE,
        {"merchant_id": merchant_id, "attempt_id": attempt_id, "coupon_ids": coupon_ids},
    )


def _end_use(
    connection: Connection,
    merchant_id: str,
    coupon_id: str,
    attempt_id: str,
    *,
    was: str,
    becomes: str,
) -> None:
    key = {"merchant_id": merchant_id, "coupon_id": coupon_id, "attempt_id": attempt_id}
    if connection.execute(_FREE, {**key, "state": was}).rowcount:
        connection.execute(_END_USE, {**key, "state": becomes})
        give_back_cost(connection, **key)
