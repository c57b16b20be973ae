"""Which lane of the books an event belongs to.

A lane is a part of the books that one batch at a time writes. The number of lanes is fixed when a
ledger is made. What a card did lies in the lane of the card; what no card did, in lane 0.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from sqlalchemy import Connection, select

from kernel.database import Database
from kernel.database.addresses import address_of
from ledger.tables import ledger_info

LANES_MAX = 64
LANES_OF_A_SERVER = 16
"""Of a new ledger on a server, which writes lanes side by side; in a file they gain nothing."""


def lane_of(card_id: str | None, lanes: int) -> int:
    """The lane of a card's events; 0 for events of no card."""
    if card_id is None or lanes == 1:
        return 0
    return crc32(card_id.encode()) % lanes


def lanes_unless_told(address: str | Path) -> int:
    """How many lanes a new ledger at `address` has when nobody says."""
    return 1 if isinstance(address_of(address), Path) else LANES_OF_A_SERVER


def lanes_of(connection: Connection) -> int:
    """How many lanes the ledger has."""
    lanes: int = connection.execute(select(ledger_info.c.lanes)).scalar_one()
    return lanes


async def read_lanes(database: Database) -> int:
    """How many lanes the ledger in a database has."""
    return await database.snapshot(lanes_of)
