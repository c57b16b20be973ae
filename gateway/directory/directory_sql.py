"""Statements on merchants and stores. The caller owns the transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway.directory.entries import BackendKind, Merchant, MerchantState, Store, StoreState
from gateway.directory.tables import LEAVING, MERCHANT, STORE
from kernel.clock import from_micros, to_micros
from kernel.graphql import ChannelKind
from kernel.statements import Prepared

_NOTE_CHANGE = Prepared(
    "INSERT INTO directory_version (id, version) VALUES (1, 1)"
    " ON CONFLICT (id) DO UPDATE SET version = directory_version.version + 1"
)
_VERSION = Prepared("SELECT version FROM directory_version WHERE id = 1")


def read_version(connection: Connection) -> int:
    """Counts the changes of merchants and stores; 0 before the first."""
    return int(connection.execute(_VERSION).scalar() or 0)


_MERCHANTS = select(MERCHANT, LEAVING.c.redeem_until, LEAVING.c.left_at).join_from(
    MERCHANT, LEAVING, LEAVING.c.merchant_id == MERCHANT.c.id, isouter=True
)


def read_merchants(connection: Connection) -> list[Merchant]:
    """Every merchant, the alliance included, in no order."""
    return [_merchant_of(row) for row in connection.execute(_MERCHANTS)]


def read_stores(connection: Connection) -> list[Store]:
    """Every store, in no order."""
    return [_store_of(row) for row in connection.execute(select(STORE))]


def read_merchant(connection: Connection, merchant_id: str) -> Merchant | None:
    """One merchant; None when there is none."""
    row = connection.execute(_MERCHANTS.where(MERCHANT.c.id == merchant_id)).one_or_none()
    return None if row is None else _merchant_of(row)


def read_state_to_tell(connection: Connection, merchant_id: str) -> tuple[Merchant, int]:
    """A merchant as it is now, and a version that a later reading of another state exceeds."""
    merchant = read_merchant(connection, merchant_id)
    assert merchant is not None
    return merchant, read_version(connection)


def is_merchant_reference_taken(connection: Connection, reference: str) -> bool:
    """Whether a merchant has this reference."""
    statement = select(MERCHANT.c.id).where(MERCHANT.c.reference == reference)
    return connection.execute(statement).one_or_none() is not None


def is_store_reference_taken(connection: Connection, *, merchant_id: str, reference: str) -> bool:
    """Whether a store of the merchant has this reference."""
    statement = select(STORE.c.id).where(
        STORE.c.merchant_id == merchant_id, STORE.c.reference == reference
    )
    return connection.execute(statement).one_or_none() is not None


def insert_merchant(connection: Connection, merchant: Merchant) -> None:
    """Keeps a new merchant."""
    connection.execute(
        insert(MERCHANT).values(
            id=merchant.id,
            reference=merchant.reference,
            name=merchant.name,
            name_en=merchant.name_en,
            state=merchant.state,
            backend_kind=merchant.backend_kind,
            endpoint=merchant.endpoint,
            admitted_at=to_micros(merchant.admitted_at),
        )
    )
    connection.execute(_NOTE_CHANGE)


def update_merchant_state(
    connection: Connection, merchant_id: str, *, state: MerchantState
) -> None:
    """Gives a merchant another state."""
    connection.execute(update(MERCHANT).where(MERCHANT.c.id == merchant_id).values(state=state))
    connection.execute(_NOTE_CHANGE)


def insert_leaving(
    connection: Connection, merchant_id: str, *, announced_at: datetime, redeem_until: datetime
) -> None:
    """Keeps until when a merchant redeems points."""
    connection.execute(
        insert(LEAVING).values(
            merchant_id=merchant_id,
            announced_at=to_micros(announced_at),
            redeem_until=to_micros(redeem_until),
        )
    )


def update_left(connection: Connection, merchant_id: str, *, left_at: datetime) -> None:
    """Keeps when a merchant that was winding down left."""
    left = update(LEAVING).where(LEAVING.c.merchant_id == merchant_id)
    connection.execute(left.values(left_at=to_micros(left_at)))


def insert_store(connection: Connection, store: Store) -> None:
    """Keeps a new store."""
    connection.execute(
        insert(STORE).values(
            id=store.id,
            merchant_id=store.merchant_id,
            reference=store.reference,
            name=store.name,
            channel=store.channel.value,
            state=store.state,
            opened_at=to_micros(store.opened_at),
        )
    )
    connection.execute(_NOTE_CHANGE)


def _merchant_of(row: Any) -> Merchant:
    return Merchant(
        id=row.id,
        reference=row.reference,
        name=row.name,
        name_en=row.name_en,
        state=MerchantState(row.state),
        backend_kind=BackendKind(row.backend_kind),
        endpoint=row.endpoint,
        admitted_at=from_micros(row.admitted_at),
        redeem_until=None if row.redeem_until is None else from_micros(row.redeem_until),
        left_at=None if row.left_at is None else from_micros(row.left_at),
    )


def _store_of(row: Any) -> Store:
    return Store(
        id=row.id,
        merchant_id=row.merchant_id,
        reference=row.reference,
        name=row.name,
        channel=ChannelKind(row.channel),
        state=StoreState(row.state),
        opened_at=from_micros(row.opened_at),
    )
