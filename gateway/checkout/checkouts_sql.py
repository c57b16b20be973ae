"""Statements on checkouts. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from gateway.checkout.saved import SavedCheckout, cart_from, cart_json, priced_from, priced_json
from gateway.checkout.states import CheckoutState, may_become
from gateway.checkout.tables import CHECKOUT, UNSETTLED_SQL
from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared

_INSERT = Prepared(
    f"INSERT INTO checkout ({', '.join(column.name for column in CHECKOUT.c)})"
    f" VALUES ({', '.join(f':{column.name}' for column in CHECKOUT.c)}) ON CONFLICT DO NOTHING"
)
_BY_ID = Prepared(select(CHECKOUT).where(CHECKOUT.c.id == bindparam("id")))
_OPENED_BY = Prepared(select(CHECKOUT).where(CHECKOUT.c.opened_by == bindparam("opened_by")))
_BY_ATTEMPTS = Prepared(
    select(CHECKOUT).where(CHECKOUT.c.attempt_id.in_(bindparam("attempt_ids", expanding=True)))
)
_CAPTURED_ATTEMPTS = Prepared(
    select(CHECKOUT.c.attempt_id).where(
        CHECKOUT.c.attempt_id.in_(bindparam("attempt_ids", expanding=True)),
        CHECKOUT.c.state == CheckoutState.CAPTURED,
    )
)
_UNSETTLED = Prepared(
    select(CHECKOUT.c.id, CHECKOUT.c.state, CHECKOUT.c.is_extended)
    .where(text(UNSETTLED_SQL), CHECKOUT.c.id > bindparam("after"))
    .order_by(CHECKOUT.c.id)
    .limit(bindparam("limit"))
)


@cache
def _update(names: tuple[str, ...]) -> Prepared:
    """Sets these columns of a checkout that is in a state."""
    return Prepared(
        update(CHECKOUT)
        .where(CHECKOUT.c.id == bindparam("checkout_id"), CHECKOUT.c.state == bindparam("was"))
        .values({name: bindparam(name) for name in names})
    )


def insert_checkout(connection: Connection, checkout: SavedCheckout) -> bool:
    """Keeps a new checkout, unless its request began one before; whether it is kept."""
    kept = connection.execute(
        _INSERT,
        {
            "id": checkout.id,
            "state": checkout.state,
            "opened_by": checkout.opened_by,
            "attempt_id": checkout.attempt_id,
            "merchant_id": checkout.merchant_id,
            "store_id": checkout.cart.store_id,
            "card_id": checkout.card_id,
            "membership_id": checkout.cart.membership_id,
            "cart": cart_json(checkout.cart),
            "agreed": priced_json(checkout.agreed),
            "payable_minor": checkout.agreed.payable_minor,
            "order_id": checkout.order_id,
            "order_no": checkout.order_no,
            "paid_at": _micros(checkout.paid_at),
            "absorbed_minor": checkout.absorbed_minor,
            "points_active_at": _micros(checkout.points_active_at),
            "points_expire_at": _micros(checkout.points_expire_at),
            "is_extended": int(checkout.is_extended),
            "lacks_locks": int(checkout.lacks_locks),
            "opened_at": to_micros(checkout.opened_at),
            "expires_at": to_micros(checkout.expires_at),
        },
    )
    return kept.rowcount == 1


def read_checkout(connection: Connection, checkout_id: str) -> SavedCheckout | None:
    """One checkout; None when there is none."""
    row = connection.execute(_BY_ID, {"id": checkout_id}).one_or_none()
    return None if row is None else _checkout_of(row)


def read_opened_by(connection: Connection, opened_by: str) -> SavedCheckout | None:
    """The checkout that an unanswered request opened; None when it opened none."""
    row = connection.execute(_OPENED_BY, {"opened_by": opened_by}).one_or_none()
    return None if row is None else _checkout_of(row)


def read_by_attempts(
    connection: Connection, attempt_ids: Sequence[str]
) -> dict[str, SavedCheckout]:
    """Checkouts by their attempt, those that exist.

    Args:
        attempt_ids: at most 500.
    """
    rows = connection.execute(_BY_ATTEMPTS, {"attempt_ids": attempt_ids})
    return {row.attempt_id: _checkout_of(row) for row in rows}


def read_captured_attempts(connection: Connection, attempt_ids: Sequence[str]) -> set[str]:
    """Those of the attempts whose checkout is CAPTURED.

    Args:
        attempt_ids: at most 500.
    """
    rows = connection.execute(_CAPTURED_ATTEMPTS, {"attempt_ids": attempt_ids})
    return {row.attempt_id for row in rows}


def read_unsettled(
    connection: Connection, *, after: str, limit: int
) -> list[tuple[str, CheckoutState, bool]]:
    """(id, state, is_extended) of checkouts that may need a sweeper, by id, behind `after`."""
    rows = connection.execute(_UNSETTLED, {"after": after, "limit": limit})
    return [(row.id, CheckoutState(row.state), bool(row.is_extended)) for row in rows]


def move(
    connection: Connection,
    checkout_id: str,
    state: CheckoutState,
    following: CheckoutState,
    **changes: Any,
) -> bool:
    """Compare-and-set: whether the checkout was in `state` and is in `following` now.

    Args:
        changes: further columns to set, as the table holds them.
    """
    assert may_become(state, following)
    return change(connection, checkout_id, state, state=following, **changes)


def change(connection: Connection, checkout_id: str, was: CheckoutState, **changes: Any) -> bool:
    """Sets columns of a checkout that is still in `was`; whether it was."""
    statement = _update(tuple(changes))
    result = connection.execute(statement, {**changes, "checkout_id": checkout_id, "was": was})
    return result.rowcount == 1


def _checkout_of(row: Any) -> SavedCheckout:
    return SavedCheckout(
        id=row.id,
        state=CheckoutState(row.state),
        opened_by=row.opened_by,
        attempt_id=row.attempt_id,
        cart=cart_from(row.cart),
        agreed=priced_from(row.agreed),
        order_id=row.order_id,
        order_no=row.order_no,
        paid_at=_instant(row.paid_at),
        absorbed_minor=row.absorbed_minor,
        points_active_at=_instant(row.points_active_at),
        points_expire_at=_instant(row.points_expire_at),
        is_extended=bool(row.is_extended),
        lacks_locks=bool(row.lacks_locks),
        opened_at=from_micros(row.opened_at),
        expires_at=from_micros(row.expires_at),
    )


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
