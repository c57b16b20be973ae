"""Clearing periods, read and closed as an admin would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient

CLOSABLE_AFTER = timedelta(hours=25)
"""A period can be closed 24 h after its end; an hour more spares the boundary."""


async def read_periods(client: GraphQLClient, token: str) -> list[dict[str, Any]]:
    """All clearing periods, newest first."""
    periods: list[dict[str, Any]] = []
    after = None
    while True:
        data = await client.ask(operations.PERIODS, {"after": after}, token=token)
        page = data["clearingPeriods"]
        periods += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return periods
        after = page["pageInfo"]["endCursor"]


async def close_ended_periods(client: GraphQLClient, token: str, *, now: datetime) -> None:
    """Closes every period that ended long enough before `now`, the oldest first."""
    for period in reversed(await read_periods(client, token)):
        end = datetime.fromisoformat(period["to"])
        if period["state"] == "OPEN" and end + CLOSABLE_AFTER <= now:
            await client.change(
                operations.CLOSE_PERIOD,
                {"input": {"requestId": f"close-{period['id']}", "periodId": period["id"]}},
                token=token,
                success="PeriodClosed",
            )
