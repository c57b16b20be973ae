"""The merchants subgraph: its schema, and the schema over hosted backends."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import open_database
from kernel.ids import IdSource
from kernel.subgraph import SubgraphSchema, build_subgraph
from merchants.context import MerchantsContext
from merchants.hosted import HostedBackend, MerchantSettings
from merchants.loaders import Loaders
from merchants.migrations import HISTORY
from merchants.schema.coupons import Coupon
from merchants.schema.merchants import Merchant, Store
from merchants.schema.orders import Order
from merchants.schema.refusals import REFUSALS
from merchants.schema.roots import Mutation, Query
from merchants.schema.wallets import Card, Membership


@cache
def merchants_schema() -> SubgraphSchema:
    """The schema that every backend serves; needs no database."""
    return build_subgraph(
        "merchants",
        query=Query,
        mutation=Mutation,
        types=[Card, Membership, Coupon, Order, Merchant, Store],
        refusals=REFUSALS,
    )


class HostedMerchants:
    """The subgraph over one database that holds any number of merchants.

    Attributes:
        backend: the port, for whoever orchestrates.
        schema: what `context_for` makes contexts for.
    """

    def __init__(self, backend: HostedBackend) -> None:
        self.backend = backend
        self.schema = merchants_schema()

    @classmethod
    async def open(
        cls,
        address: str | Path,
        *,
        clock: Clock,
        ids: IdSource,
        settings: Callable[[], MerchantSettings],
    ) -> HostedMerchants:
        """The merchants of the database at `address`, made when it is new.

        Raises:
            DatabaseUnavailable: the database can not be opened or written.
        """
        database = await open_database(address, HISTORY)
        return cls(HostedBackend(database, clock=clock, ids=ids, settings=settings))

    def context_for(
        self, caller: Caller | None, request_id: str, language: str
    ) -> MerchantsContext:
        """The context of one client request, with loaders of its own."""
        return MerchantsContext(
            caller=caller,
            request_id=request_id,
            language=language,
            backend=self.backend,
            loaders=Loaders(self.backend, caller),
        )

    async def close(self) -> None:
        """Finishes what waits, then lets go of the database."""
        await self.backend.database.close()
