"""Counts parts of the books over a connection, in whichever process has one."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from ledger.proofs.recount import Part, Recount, read_requests
from ledger.stores.ports import cursor_on, sealed_on


class PartCounter:
    """Counts parts of the books, lane by lane: the requests of one are read once, and kept.

    Attributes:
        recount: what was counted.
    """

    def __init__(self) -> None:
        self.recount = Recount()
        self._lane = -1
        self._request_of: Mapping[int, str] = {}

    def count(self, part: Part, connection: Connection) -> None:
        """Reads a part, then adds it."""
        if part.lane != self._lane:
            self._request_of = read_requests(part.lane, cursor_on(connection))
            self._lane = part.lane
        sealed = sealed_on(connection, part.lane, part.after, part.up_to)
        self.recount.count(part, self._request_of, sealed)
