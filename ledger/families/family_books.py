"""Cards that were made one with others, and their lanes, locked together.

A card that was merged keeps its lane, its open holds and its orders; what else it had is the
survivor's, in the survivor's lane. So a request about any card of a family is decided while the
lanes of all are locked, lowest first. See docs/decisions/merging.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.booking import writes
from ledger.booking.batch import look_at_books, open_books
from ledger.booking.books import LaneBooks
from ledger.booking.posting import Pen
from ledger.stores import loading
from ledger.stores.lanes import lane_of
from ledger.stores.port import Port, Row
from ledger.stores.ports import port_on


@dataclass(frozen=True, slots=True)
class Family:
    """Cards that are one, or once were.

    Attributes:
        cards: all of them, in the order of their ids.
        merged: the card that each merged card went into, and the merge, while it holds.
    """

    cards: tuple[str, ...]
    merged: Mapping[str, tuple[str, str]]

    def survivor(self, card_id: str) -> str:
        """The card that an id means now."""
        while card_id in self.merged:
            card_id = self.merged[card_id][0]
        return card_id

    def names(self, card_id: str) -> list[str]:
        """The ids that mean the same card now."""
        survivor = self.survivor(card_id)
        return [each for each in self.cards if self.survivor(each) == survivor]


def read_family(port: Port, card_ids: Iterable[str]) -> Family:
    """Everything that was ever made one with these cards."""
    known: dict[str, None] = {}
    merged: dict[str, tuple[str, str]] = {}
    asking = list(dict.fromkeys(card_ids))
    while asking:
        known.update(dict.fromkeys(asking))
        rows = port.rows(loading.KIN, asking)
        for card_id, merge_id, other_id, is_survivor, is_undone in rows:
            if not is_survivor and not is_undone:
                merged[card_id] = other_id, merge_id
        asking = list(dict.fromkeys(row[2] for row in rows if row[2] not in known))
    return Family(tuple(sorted(known)), merged)


def names_of(connection: Connection, card_ids: Sequence[str]) -> dict[str, list[str]]:
    """Of each card, the ids that mean the same card now; its own alone for most."""
    family = read_family(port_on(connection, 0), card_ids)
    names: dict[str, list[str]] = {}
    for card_id in family.cards:
        names.setdefault(family.survivor(card_id), []).append(card_id)
    return {card_id: names[family.survivor(card_id)] for card_id in card_ids}


class FamilyBooks:
    """The books of a family's lanes, in one transaction that the user owns.

    Attributes:
        family: as the locks found it.
    """

    def __init__(
        self,
        connection: Connection,
        card_ids: Iterable[str],
        *,
        lanes: int,
        since: int,
        latest: int,
        is_looking: bool = False,
    ) -> None:
        self._lanes = lanes
        self._pens: dict[int, Pen] = {}
        self._aliases: list[Row] = []
        self._undone: list[Row] = []
        self._parts: dict[int, list[Row]] = {}
        self._port = port_on(connection, 0)
        asked = list(card_ids)
        while True:
            # Another merge may have made it larger while a lane was waited for.
            self.family = read_family(self._port, asked)
            wanted = {lane_of(card_id, lanes) for card_id in self.family.cards}
            missing = sorted(wanted - self._pens.keys())
            if not missing:
                return
            for lane in missing:
                port = port_on(connection, lane)
                if is_looking:
                    books = look_at_books(port, now=since)
                    books.latest = latest
                else:
                    books = open_books(port, since=since, latest=latest)
                self._pens[lane] = Pen(books)

    def pen(self, card_id: str) -> Pen:
        """Writes into the lane of a card."""
        return self._pens[lane_of(card_id, self._lanes)]

    def all_books(self) -> list[LaneBooks]:
        """Of every lane, lowest first."""
        return [self._pens[lane].books for lane in sorted(self._pens)]

    def put_alias(self, *, merged: str, survivor: str, merge_id: str) -> None:
        """Notes that a card is another name of a survivor."""
        self._aliases += [(merged, merge_id, survivor, 0, 0), (survivor, merge_id, merged, 1, 0)]

    def undo_alias(self, *, merged: str, survivor: str, merge_id: str) -> None:
        """Notes that a card is on its own again."""
        self._undone += [(1, merged, merge_id), (1, survivor, merge_id)]

    def put_part(self, card_id: str, merge_id: str, kind: str, ref: int, amount: int) -> None:
        """Notes what a merge gave a card."""
        lane = lane_of(card_id, self._lanes)
        self._parts.setdefault(lane, []).append((merge_id, kind, ref, amount))

    def finish(self) -> None:
        """Writes it all."""
        for lane in sorted(self._pens):
            self._pens[lane].finish()
            self._pens[lane].books.port.write(writes.MERGED_PART, self._parts.get(lane, []))
        self._port.write(writes.ALIAS, self._aliases)
        self._port.write(writes.ALIAS_UPDATE, self._undone)
