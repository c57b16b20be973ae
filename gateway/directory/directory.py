"""Every merchant and store at hand, in memory; a change is put in after it was committed."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Connection

from gateway.directory import directory_sql
from gateway.directory.entries import (
    ALLIANCE_MERCHANT_ID,
    BackendKind,
    Merchant,
    MerchantState,
    Store,
)
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database
from kernel.pages import PageArgs
from kernel.refusals import NotFound

EntryT = TypeVar("EntryT", Merchant, Store)


class Directory:
    """Merchants and stores of one alliance, found by id and listed by name."""

    def __init__(
        self, merchants: Sequence[Merchant], stores: Sequence[Store], *, version: int = 0
    ) -> None:
        self.take(merchants, stores, version=version)

    def take(self, merchants: Sequence[Merchant], stores: Sequence[Store], *, version: int) -> None:
        """Holds these merchants and stores, and no others.

        Args:
            version: how many changes had been made when they were read.
        """
        self.version = version
        self._merchants: dict[str, Merchant] = {}
        self._versions: dict[str, int] = {}
        self._stores: dict[str, Store] = {}
        self._by_name: list[tuple[str, str]] = []
        self._stores_by_name: dict[str, list[tuple[str, str]]] = {}
        for merchant in merchants:
            self.put_merchant(merchant, version=version)
        for store in stores:
            self.put_store(store)

    @property
    def alliance(self) -> Merchant:
        """The alliance as a merchant."""
        return self._merchants[ALLIANCE_MERCHANT_ID]

    def merchant(self, merchant_id: str) -> Merchant | None:
        """A merchant; None when there is none."""
        return self._merchants.get(merchant_id)

    def store(self, store_id: str) -> Store | None:
        """A store; None when there is none."""
        return self._stores.get(store_id)

    def all_merchants(self) -> list[Merchant]:
        """Every merchant by name, the alliance included."""
        by_name = sorted(
            self._merchants.values(), key=lambda merchant: (merchant.name, merchant.id)
        )
        return by_name

    def store_for(self, caller: Caller, store_id: str) -> tuple[Store, Merchant]:
        """The store, and its merchant, that the caller may act for.

        Raises:
            NotFound: there is none, it belongs to another merchant, or the token is bound to
                another store.

        Source: docs/rules/merchants.md, rule 4.
        """
        store = self._stores.get(store_id)
        if (
            store is None
            or not caller.may_act_for(store.merchant_id)
            or caller.store_id not in (None, store_id)
        ):
            raise NotFound(id=store_id)
        return store, self._merchants[store.merchant_id]

    def merchants_page(self, page: PageArgs) -> list[Merchant]:
        """Up to `page.limit` merchants by (name, id), without the alliance."""
        keys = _page_of(self._by_name, page)
        return [self._merchants[merchant_id] for _, merchant_id in keys]

    def stores_page(self, merchant_id: str, page: PageArgs) -> list[Store]:
        """Up to `page.limit` stores of a merchant by (name, id)."""
        keys = _page_of(self._stores_by_name.get(merchant_id, []), page)
        return [self._stores[store_id] for _, store_id in keys]

    def put_merchant(self, merchant: Merchant, *, version: int) -> None:
        """Takes in a merchant that was committed, unless a later state of it is known.

        Args:
            version: how many changes had been made when it was read.
        """
        if version < self._versions.get(merchant.id, 0):
            return
        self._versions[merchant.id] = version
        before = self._merchants.get(merchant.id)
        if not merchant.is_alliance:
            _replace_key(self._by_name, before, merchant)
        self._merchants[merchant.id] = merchant

    def put_store(self, store: Store) -> None:
        """Takes in a store that was committed."""
        before = self._stores.get(store.id)
        _replace_key(self._stores_by_name.setdefault(store.merchant_id, []), before, store)
        self._stores[store.id] = store


async def open_directory(database: Database, *, clock: Clock) -> Directory:
    """The directory as it was kept, with the alliance's own merchant in it."""
    now = clock.now()

    def work(connection: Connection) -> Directory:
        merchants = directory_sql.read_merchants(connection)
        if not any(merchant.is_alliance for merchant in merchants):
            alliance = Merchant(
                id=ALLIANCE_MERCHANT_ID,
                reference="ALLIANCE",
                name="Alliance",
                name_en="Alliance",
                state=MerchantState.APPLIED,
                backend_kind=BackendKind.HOSTED,
                endpoint=None,
                admitted_at=now,
            )
            directory_sql.insert_merchant(connection, alliance)
            merchants.append(alliance)
        return Directory(
            merchants,
            directory_sql.read_stores(connection),
            version=directory_sql.read_version(connection),
        )

    return await database.transaction(work)


def _page_of(keys: list[tuple[str, str]], page: PageArgs) -> list[tuple[str, str]]:
    start = 0
    if page.after is not None:
        start = bisect.bisect_right(keys, (str(page.after[0]), str(page.after[1])))
    return keys[start : start + page.limit]


def _replace_key(keys: list[tuple[str, str]], before: EntryT | None, after: EntryT) -> None:
    if before is not None:
        keys.remove((before.name, before.id))
    bisect.insort(keys, (after.name, after.id))
