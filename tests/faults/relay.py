"""A way to a PostgreSQL server that can fail: answers to COMMIT get lost, or nothing moves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random


@dataclass
class Relay:
    """Stands before the server's socket.

    Attributes:
        drop_rate: the share of COMMITs that lose their answer and the line.
        dropped: how many did.
        flows: cleared, nothing goes either way until it is set again.
    """

    behind: Path
    chance: Random
    drop_rate: float
    dropped: int = 0
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.flows.set()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_unix_connection(self.behind)
        is_cut = asyncio.Event()

        async def forward() -> None:
            while data := await client.read(1 << 16):
                if b"COMMIT" in data and self.chance.random() < self.drop_rate:
                    is_cut.set()
                    self.dropped += 1
                await self.flows.wait()
                to_server.write(data)
                await to_server.drain()

        async def bring_back() -> None:
            while data := await server.read(1 << 16):
                if is_cut.is_set():
                    return
                await self.flows.wait()
                to_client.write(data)
                await to_client.drain()

        ways = [asyncio.create_task(forward()), asyncio.create_task(bring_back())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        to_client.close()
        to_server.close()


@asynccontextmanager
async def relayed(
    address: str, room: Path, drop_rate: float = 0.0
) -> AsyncIterator[tuple[Relay, str]]:
    """A relay and the address that leads through it."""
    found = re.search(r"host=([^&]+)", address)
    assert found is not None
    relay = Relay(Path(found[1]) / ".s.PGSQL.5432", Random("relay"), drop_rate)
    socket = room / ".s.PGSQL.5432"
    server = await asyncio.start_unix_server(relay.serve, socket)
    try:
        yield relay, address.replace(found[1], str(room))
    finally:
        server.close()
