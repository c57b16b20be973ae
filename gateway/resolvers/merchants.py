"""Fills merchants and stores, from the directory in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from gateway.resolvers.context import AllianceContext, AllianceInfo
from gateway.schema import merchants as types
from kernel.graphql import Forbidden
from kernel.pages import After, Connection, First, connection_of, page_args

if TYPE_CHECKING:
    from gateway.schema.merchants import Backend, BackendHealth, Merchant, Store


def merchant_by_id(context: AllianceContext, merchant_id: str) -> Merchant | None:
    """The merchant of an id; None when there is none."""
    found = context.alliance.directory.merchant(merchant_id)
    return None if found is None else types.Merchant.of(found)


def known_merchant(context: AllianceContext, merchant_id: str) -> Merchant:
    """The merchant of an id that the database vouches for."""
    found = merchant_by_id(context, merchant_id)
    assert found is not None
    return found


def store_by_id(context: AllianceContext, store_id: str) -> Store | None:
    """The store of an id; None when there is none."""
    found = context.alliance.directory.store(store_id)
    return None if found is None else types.Store.of(found)


def merchant(info: AllianceInfo, id: strawberry.ID) -> Merchant | None:
    """A merchant; None when there is none."""
    _ = info.context.caller
    return merchant_by_id(info.context, id)


def merchants(
    info: AllianceInfo, first: First = 20, after: After = None
) -> Connection[Merchant] | None:
    """All merchants by name, without the alliance itself."""
    if not info.context.caller.is_admin:
        raise Forbidden
    page = page_args(first, after, key_length=2)
    return connection_of(
        info.context.alliance.directory.merchants_page(page),
        page,
        key=lambda entry: (entry.name, entry.id),
        node=types.Merchant.of,
    )


def merchant_stores(
    root: strawberry.Parent[Merchant],
    info: AllianceInfo,
    first: First = 20,
    after: After = None,
) -> Connection[Store] | None:
    """A merchant's stores by name."""
    page = page_args(first, after, key_length=2)
    return connection_of(
        info.context.alliance.directory.stores_page(root.id, page),
        page,
        key=lambda entry: (entry.name, entry.id),
        node=types.Store.of,
    )


def merchant_backend(root: strawberry.Parent[Merchant], info: AllianceInfo) -> Backend | None:
    """Where the merchant's data lives; for itself and admins."""
    _require_insider(info, root.id)
    entry = info.context.alliance.directory.merchant(root.id)
    assert entry is not None
    return types.Backend(kind=entry.backend_kind, endpoint=entry.endpoint)


def merchant_health(root: strawberry.Parent[Merchant], info: AllianceInfo) -> BackendHealth | None:
    """How the merchant's backend answers; for itself and admins."""
    _require_insider(info, root.id)
    health = info.context.alliance.health.health(root.id)
    return types.BackendHealth(state=health.state, since=health.since, last_error=health.last_error)


def store_merchant(root: strawberry.Parent[Store], info: AllianceInfo) -> Merchant | None:
    """The store's merchant."""
    return known_merchant(info.context, root.merchant_id)


def _require_insider(info: AllianceInfo, merchant_id: str) -> None:
    if not info.context.caller.may_act_for(merchant_id):
        raise Forbidden
