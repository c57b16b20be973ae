"""Renewals that refunds of before left waiting for nothing begin when the database is upgraded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.database import Database, open_database
from kernel.ids import derived_id
from merchants.ladders.paid import PaidMembership, PaidPlan, paid_until
from merchants.ladders.paid_sql import insert_paid, read_paid_of, write_paid_refund
from merchants.ladders.selling import set_floor
from merchants.migrations import HISTORY
from tests.migrations.histories import make_at
from tests.places import Places

SHOP = derived_id("mer", "shop")
YEAR = PaidPlan("YEAR", 1, "年卡", None, 36_500, 12, grace_days=10, rank=2)
MONTH = replace(YEAR, code="MONTH", months=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Upgraded:
    """A database of before that was opened, between two instants."""

    database: Database
    bought: dict[str, PaidMembership]
    sold_at: datetime
    until: datetime

    async def now(self, paid_id: str) -> PaidMembership:
        """What became of it."""
        before = self.bought[paid_id]
        key = (before.merchant_id, before.card_id)
        found = await self.database.snapshot(lambda connection: read_paid_of(connection, [key]))
        return next(each for each in found[key] if each.id == paid_id)


def renewals(sold_at: datetime) -> list[PaidMembership]:
    """What cards had bought; those that are refunded were 100 days ago."""
    kept: list[PaidMembership] = []

    def buy(name: str, starts_at: datetime, plan: PaidPlan = YEAR, gone: bool = False) -> datetime:
        ends_at = paid_until(starts_at, plan.months)
        refund = sold_at - 100 * DAY if gone else None
        card_id = derived_id("card", name.split("-")[0])
        kept.append(PaidMembership(name, SHOP, card_id, plan, starts_at, ends_at, refund))
        return ends_at

    begun = sold_at - 200 * DAY
    buy("stranded-3", buy("stranded-2", buy("stranded-1", begun, gone=True)))
    buy("follower-2", buy("follower-1", begun))
    buy("middle-3", buy("middle-2", buy("middle-1", begun), gone=True))
    buy("grace-3", buy("grace-2", sold_at, gone=True))
    buy("grace-1", sold_at - 370 * DAY)
    buy("several-3", buy("several-2", begun, MONTH, gone=True) + 300 * DAY, MONTH)
    buy("several-1", begun)
    buy("late-2", buy("late-1", begun - 365 * DAY, gone=True))
    return kept


@pytest_asyncio.fixture
async def upgraded(places: Places) -> AsyncIterator[Upgraded]:
    address = places.address("old")
    old = await make_at(address, HISTORY, "merchants_0006")
    sold_at = datetime.now(UTC)
    bought = renewals(sold_at)

    def sell(connection: Connection) -> None:
        for each in bought:
            insert_paid(connection, each, reference=each.id)
            set_floor(connection, each)
            if each.refunded_at is not None:
                write_paid_refund(
                    connection, each, refunded_at=to_micros(each.refunded_at), refunded_minor=0
                )

    await old.transaction(sell)
    await old.close()
    database = await open_database(address, HISTORY)
    by_id = {each.id: each for each in bought}
    yield Upgraded(database, by_id, sold_at, datetime.now(UTC))
    await database.close()


@pytest.mark.both_databases
async def test_what_waits_for_nothing_begins_now_and_all_else_stays(upgraded: Upgraded) -> None:
    first, second = await upgraded.now("stranded-2"), await upgraded.now("stranded-3")
    after_middle = await upgraded.now("middle-3")
    in_grace = await upgraded.now("grace-3")
    beside_another = await upgraded.now("several-3")

    for begun in (first, in_grace, beside_another):
        assert upgraded.sold_at <= begun.starts_at <= upgraded.until
        assert begun.ends_at == paid_until(begun.starts_at, begun.plan.months)
    assert (second.starts_at, second.ends_at) == (first.ends_at, paid_until(first.ends_at, 12))
    assert after_middle.starts_at == upgraded.bought["middle-1"].ends_at
    assert after_middle.ends_at == paid_until(after_middle.starts_at, 12)
    moved = {first.id, second.id, after_middle.id, in_grace.id, beside_another.id}
    for paid_id in upgraded.bought.keys() - moved:
        now, before = await upgraded.now(paid_id), upgraded.bought[paid_id]
        assert (now.starts_at, now.ends_at) == (before.starts_at, before.ends_at)
        assert now.refunded_at == before.refunded_at


@pytest.mark.both_databases
async def test_the_rank_of_a_renewal_is_given_as_long_as_its_benefits(upgraded: Upgraded) -> None:
    floors = await upgraded.database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT cause, starts_at, ends_at FROM tier_floor ORDER BY cause"
        ).all()
    )

    assert len(floors) == len(upgraded.bought)
    for cause, starts_at, ends_at in floors:
        now = await upgraded.now(cause)
        end = now.refunded_at or now.grace_until
        assert (starts_at, ends_at) == (to_micros(now.starts_at), to_micros(end))
