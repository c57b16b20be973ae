"""Reads of one client request, gathered: one statement for each kind of field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from kernel.callers import Caller, CallerKind
from kernel.clock import to_micros
from merchants.coupons.coupons_sql import HeldCoupon, read_coupon_pages, read_coupons
from merchants.coupons.shown_sql import read_shown
from merchants.coupons.templates import CouponState
from merchants.hosted import HostedBackend
from merchants.keys_sql import Key
from merchants.ladders.ladders_sql import read_ladders
from merchants.ladders.standings import CardTiers, tiers_of
from merchants.ladders.tiers import Ladder
from merchants.registry_sql import read_cards_of_memberships
from merchants.sales.orders_sql import OrderRow, read_order_pages, read_orders

PageT = TypeVar("PageT", bound="CouponPageKey | OrderPageKey")
RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class CouponPageKey:
    """Which coupons of which wallet."""

    wallet: Key
    after: tuple[int, str] | None
    states: tuple[CouponState, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class OrderPageKey:
    """Which orders of which wallet."""

    wallet: Key
    after: tuple[int, str] | None
    limit: int


class Loaders:
    """The loaders of one client request; keys are (merchant_id, id).

    A loader is made when it is first asked: most requests need one or two.
    """

    def __init__(self, backend: HostedBackend, caller: Caller | None) -> None:
        self._backend = backend
        self._caller = caller

    @cached_property
    def card_by_membership(self) -> DataLoader[Key, str | None]:
        """Cards of memberships."""
        return DataLoader(self._cards)

    @cached_property
    def tiers(self) -> DataLoader[Key, CardTiers]:
        """Where a card stands at a merchant."""
        return DataLoader(self._tiers)

    @cached_property
    def coupons(self) -> DataLoader[Key, HeldCoupon | None]:
        """Coupons."""
        return DataLoader(self._coupons)

    @cached_property
    def coupons_shown(self) -> DataLoader[Key, bool]:
        """Whether the caller is a merchant whose till held or presented a coupon."""
        return DataLoader(self._coupons_shown)

    @cached_property
    def orders(self) -> DataLoader[Key, OrderRow | None]:
        """Orders."""
        return DataLoader(self._orders)

    @cached_property
    def ladders(self) -> DataLoader[str, list[Ladder]]:
        """Ladders in force, by merchant."""
        return DataLoader(self._ladders)

    @cached_property
    def coupon_pages(self) -> DataLoader[CouponPageKey, list[HeldCoupon]]:
        """Pages of a wallet's coupons."""
        return DataLoader(self._coupon_pages)

    @cached_property
    def order_pages(self) -> DataLoader[OrderPageKey, list[OrderRow]]:
        """Pages of a wallet's orders."""
        return DataLoader(self._order_pages)

    def keep_orders(self, rows: Sequence[OrderRow]) -> None:
        """Orders that were read by other means; their fields load without a read."""
        for row in rows:
            self.orders.prime((row.merchant_id, row.order_id), row)

    async def _cards(self, keys: list[Key]) -> list[str | None]:
        found = await self._read(lambda connection: read_cards_of_memberships(connection, keys))
        return [found.get(key) for key in keys]

    async def _tiers(self, keys: list[Key]) -> list[CardTiers]:
        facts, now = self._backend.settings().facts, self._backend.clock.now()
        found = await self._read(
            lambda connection: tiers_of(connection, keys, now=now, alliance=facts)
        )
        return [found[key] for key in keys]

    async def _coupons(self, keys: list[Key]) -> list[HeldCoupon | None]:
        found = await self._read(lambda connection: read_coupons(connection, keys))
        return [found.get(key) for key in keys]

    async def _coupons_shown(self, keys: list[Key]) -> list[bool]:
        caller = self._caller
        if caller is None or caller.kind is not CallerKind.MERCHANT:
            return [False] * len(keys)
        merchant_id = caller.subject
        found = await self._read(lambda connection: read_shown(connection, keys, to=merchant_id))
        return [key in found for key in keys]

    async def _orders(self, keys: list[Key]) -> list[OrderRow | None]:
        found = await self._read(lambda connection: read_orders(connection, keys))
        return [found.get(key) for key in keys]

    async def _ladders(self, merchant_ids: list[str]) -> list[list[Ladder]]:
        at = to_micros(self._backend.clock.now())
        found = await self._read(lambda connection: read_ladders(connection, merchant_ids, at=at))
        return [found.get(merchant_id, []) for merchant_id in merchant_ids]

    async def _coupon_pages(self, keys: list[CouponPageKey]) -> list[list[HeldCoupon]]:
        now = to_micros(self._backend.clock.now())

        def read(
            connection: Connection, page: CouponPageKey, wallets: list[Key]
        ) -> dict[Key, list[HeldCoupon]]:
            return read_coupon_pages(
                connection,
                wallets,
                after=page.after,
                states=page.states,
                limit=page.limit,
                now=now,
            )

        pages = await self._read(lambda connection: _by_page(connection, keys, read))
        for rows in pages:
            for row in rows:
                self.coupons.prime((row.merchant_id, row.coupon_id), row)
        return pages

    async def _order_pages(self, keys: list[OrderPageKey]) -> list[list[OrderRow]]:
        def read(
            connection: Connection, page: OrderPageKey, wallets: list[Key]
        ) -> dict[Key, list[OrderRow]]:
            return read_order_pages(connection, wallets, after=page.after, limit=page.limit)

        pages = await self._read(lambda connection: _by_page(connection, keys, read))
        for rows in pages:
            self.keep_orders(rows)
        return pages

    async def _read(self, work: Callable[[Connection], RowT]) -> RowT:
        return await self._backend.database.snapshot(work)


def _by_page(
    connection: Connection,
    keys: Sequence[PageT],
    read: Callable[[Connection, PageT, list[Key]], dict[Key, list[RowT]]],
) -> list[list[RowT]]:
    """One read for all wallets that are asked for the same page."""
    wallets: dict[object, list[Key]] = {}
    for key in keys:
        wallets.setdefault(_arguments(key), []).append(key.wallet)
    found: dict[object, dict[Key, list[RowT]]] = {}
    for key in keys:
        asked = _arguments(key)
        if asked not in found:
            found[asked] = read(connection, key, wallets[asked])
    return [found[_arguments(key)].get(key.wallet, []) for key in keys]


def _arguments(key: CouponPageKey | OrderPageKey) -> object:
    if isinstance(key, CouponPageKey):
        return (key.after, key.states, key.limit)
    return (key.after, key.limit)
