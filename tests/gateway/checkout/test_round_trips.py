from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from kernel.database.postgresql_seats import Seat, SeatRows
from tests.gateway.checkout.tills import Till
from tests.gateway.checkout.town import Town

pytestmark = pytest.mark.postgresql

AN_ORDER_TAKES = 26
AN_ORDER_COMMITS = 4
"""Beside the ledger's; see the table in docs/decisions/database.md."""


class RoundTrips:
    """What was sent to the server, by whom it was sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: Counter[str] = Counter()
        fetch, command = Seat._fetch, Seat._command

        async def counted_fetch(seat: Seat, statement: str, values: Sequence[Any]) -> SeatRows:
            self.sent[statement] += 1
            return await fetch(seat, statement, values)

        async def counted_command(seat: Seat, statement: str) -> str:
            self.sent[statement] += 1
            return await command(seat, statement)

        monkeypatch.setattr(Seat, "_fetch", counted_fetch)
        monkeypatch.setattr(Seat, "_command", counted_command)


async def test_a_members_order_takes_few_round_trips(
    town: Town, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await till.sell(1_000, order_no="no-0")
    trips = RoundTrips(monkeypatch)

    await till.sell(1_000, order_no="no-1")

    told = "\n".join(f"{times} {statement}" for statement, times in trips.sent.items())
    assert sum(trips.sent.values()) <= AN_ORDER_TAKES, told
    assert trips.sent["COMMIT"] <= AN_ORDER_COMMITS, told
