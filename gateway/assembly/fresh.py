"""Answers a request only after this process knows what others committed before it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest, Transport
from kernel.database import DatabaseUnavailable, Overloaded

_KEY = "fresh"


class FreshTransport:
    """Catches up once for each client request, then asks the subgraph behind it.

    Args:
        catch_up: takes in the settings and merchants that other processes changed.
    """

    def __init__(self, behind: Transport, catch_up: Callable[[], Awaitable[None]]) -> None:
        self._behind = behind
        self._catch_up = catch_up

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply; none when nobody knows whether what is at hand is old."""
        caught_up = context.scratch.get(_KEY)
        if caught_up is None:
            caught_up = context.scratch[_KEY] = asyncio.ensure_future(self._catch_up())
        try:
            # Other steps of the request wait for the same; one that is late cancels itself alone.
            await asyncio.shield(caught_up)
        except (DatabaseUnavailable, Overloaded) as error:
            fault = {"message": "The alliance does not answer.", "extensions": error.extensions}
            return SubgraphReply(None, [fault])
        return await self._behind.execute(request, context)
