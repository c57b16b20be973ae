"""Which lanes the books have, for reads that concern all of them.

Every index begins with the lane, so such a read names each lane.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, literal_column, select

from ledger.tables import lane_head

ZERO: ColumnElement[int] = literal_column("0")
"""Written out: an index over some rows serves only statements that show which rows they want."""

MONEY: ColumnElement[str] = literal_column("'SETTLEMENT'")
"""The asset of settlement legs, written out likewise."""


def in_every_lane(table: Table) -> ColumnElement[Any]:
    """Lets an index that begins with the lane serve a read of every lane."""
    return table.c.lane.in_(select(lane_head.c.lane))
