"""Counts again, from the rows that were booked, what is kept of them: leaves, sums, numbers.

One pass over transactions, entries and movements, in parts that may be counted side by side: what
is booked never changes, so that every later state of the database has it. Whether all is well is
told here; which row is wrong, the queries of `ledger/invariants.py` find.

Source: docs/rules/arithmetic.md, rules 7 and 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger.chain import GENESIS, block_hash, leaf_of_json
from ledger.port import Booked, Row
from ledger.ports import cursor_on

AT_ONCE = 2_048
_TX = Booked(
    "ledger_tx",
    "seq, kind, card_id, merchant_id, order_no, effective_at, created_at, month, origin_month, "
    "reason",
    is_one=True,
)
_ENTRIES = Booked(
    "entry", "seq, leg, account, asset, kind, amount, points, month, rule_version, order_no"
)
_MOVES = Booked("lot_move", "seq, leg, lot_id, amount, funding, month")
_NONE = b"[]"
_MONTH = 7
"""The column of a transaction's period, and of an entry's."""

_LAST = (
    "SELECT h.lane, coalesce((SELECT max(seq) FROM ledger_tx t WHERE t.lane = h.lane), 0) "
    "FROM lane_head h ORDER BY h.lane"
)
_REQUESTS = "SELECT tx_seq, request_hash FROM ledger_request WHERE lane = ? AND tx_seq IS NOT NULL"
_BLOCKS = "SELECT seq, hash FROM block WHERE lane = ? ORDER BY seq"
_BOOKED = (
    "SELECT (SELECT count(*) FROM ledger_tx), (SELECT count(*) FROM entry), "
    "(SELECT count(*) FROM lot_move), (SELECT count(*) FROM lot)"
)
_ACCOUNTS = "SELECT lane, account, asset, posted FROM account"
_POSITIONS = "SELECT lane, month, account, kind, amount, points, entries FROM position"


@dataclass(frozen=True, slots=True)
class Part:
    """Transactions of one lane: those behind `after`, up to `up_to`."""

    lane: int
    after: int
    up_to: int


@dataclass(slots=True)
class Kept:
    """What the books keep of what was booked, all of one state.

    Attributes:
        last: of each lane, the number of the newest transaction.
        blocks: of each lane, number and hash.
        booked: how many transactions, entries and movements there are.
        lots: how many lots.
        accounts: posted, by lane, account and asset.
        positions: amount, points and entries, by lane, month, account and kind.
    """

    last: list[int]
    blocks: list[list[Row]]
    booked: tuple[int, int, int]
    lots: int
    accounts: dict[tuple[int, str, str], int]
    positions: dict[tuple[int, int, str, str], list[int]]

    def parts(self) -> Iterator[Part]:
        """All that was booked, in order."""
        for lane, last in enumerate(self.last):
            for after in range(0, last, AT_ONCE):
                yield Part(lane, after, min(after + AT_ONCE, last))


@dataclass(slots=True)
class Recount:
    """What parts of the books sum to; see `Kept`.

    Attributes:
        leaves: of each part, the number and the leaf of each transaction.
        is_sound: whether every transaction sums to zero in each asset, over two legs or more, and
            lies with its entries in one period.
    """

    leaves: dict[Part, list[tuple[int, bytes]]] = field(default_factory=dict)
    transactions: int = 0
    entries: int = 0
    moves: int = 0
    accounts: dict[tuple[int, str, str], int] = field(default_factory=dict)
    positions: dict[tuple[int, int, str, str], list[int]] = field(default_factory=dict)
    is_sound: bool = True

    def count(self, part: Part, request_of: Mapping[int, str], connection: Connection) -> None:
        """Adds one part, unless it was; fails before it adds anything.

        Args:
            request_of: see `read_requests`.
        """
        if part in self.leaves:
            return
        cursor = cursor_on(connection)
        span = part.lane, part.after, part.up_to
        entries = cursor.as_json(_ENTRIES, *span)
        moves = cursor.as_json(_MOVES, *span)
        txs = cursor.as_json(_TX, *span)
        leaves = []
        for seq, tx in txs.items():
            its_entries, its_moves = entries.get(seq, _NONE), moves.get(seq, _NONE)
            leaves.append((seq, leaf_of_json(request_of.get(seq, ""), tx, its_entries, its_moves)))
            self.moves += its_moves.count(b"[") - 1  # Whole numbers, in arrays in an array.
            try:
                # One by one: what many lines at once become does not fit the processor's cache.
                self._add(part.lane, orjson.loads(tx)[_MONTH], orjson.loads(its_entries))
            except orjson.JSONDecodeError:  # A damaged file may hold text that is none.
                self.is_sound = False
        self.transactions += len(leaves)
        self.leaves[part] = leaves

    def add(self, other: Recount) -> None:
        """Adds other parts."""
        self.leaves |= other.leaves
        self.transactions += other.transactions
        self.entries += other.entries
        self.moves += other.moves
        self.is_sound = self.is_sound and other.is_sound
        for account, amount in other.accounts.items():
            self.accounts[account] = self.accounts.get(account, 0) + amount
        for position, sums in other.positions.items():
            known = self.positions.get(position, (0, 0, 0))
            self.positions[position] = [a + b for a, b in zip(known, sums, strict=True)]

    def agrees_with(self, kept: Kept) -> bool:
        """Whether the books keep exactly this."""
        return (
            self.is_sound
            and (self.transactions, self.entries, self.moves) == kept.booked
            and all(self.accounts.get(key, 0) == posted for key, posted in kept.accounts.items())
            and self.accounts.keys() <= kept.accounts.keys()
            and self.positions == kept.positions
        )

    def _add(self, lane: int, month: int, entries: list[list[Any]]) -> None:
        positions, accounts = self.positions, self.accounts
        money = points = coins = 0
        for _, _, account, asset, kind, amount, moved, in_month, _, _ in entries:
            if asset == "SETTLEMENT":
                money += amount
                sums = positions.get((lane, in_month, account, kind))
                if sums is None:
                    positions[lane, in_month, account, kind] = [amount, moved, 1]
                else:
                    sums[0] += amount
                    sums[1] += moved
                    sums[2] += 1
            else:
                if asset == "POINTS":
                    points += amount
                else:
                    coins += amount
                key = lane, account, asset
                accounts[key] = accounts.get(key, 0) + amount
            if in_month != month or not amount:
                self.is_sound = self.is_sound and in_month == month and _has_two(entries, asset)
        self.entries += len(entries)
        if money or points or coins or not entries:
            self.is_sound = False


def read_kept(connection: Connection) -> Kept:
    """All that the books keep of what was booked."""
    cursor = cursor_on(connection)
    heads = cursor.all(_LAST)
    lanes = [(lane,) for lane, _ in heads]
    [booked] = cursor.all(_BOOKED)
    return Kept(
        last=[last for _, last in heads],
        blocks=[cursor.all(_BLOCKS, lane) for lane in lanes],
        booked=booked[:3],
        lots=booked[3],
        accounts={tuple(row[:3]): row[3] for row in cursor.all(_ACCOUNTS)},
        positions={tuple(row[:4]): list(row[4:]) for row in cursor.all(_POSITIONS)},
    )


def read_requests(lane: int, connection: Connection) -> dict[int, str]:
    """The hash of the request behind each transaction of a lane."""
    return dict(cursor_on(connection).all(_REQUESTS, (lane,)))


def first_broken_block(kept: Kept, recount: Recount, lane: int) -> int | None:
    """The number of the first block that is missing or wrong, None when all fit.

    A block is numbered by the last transaction that it seals.
    """
    sealed = (each for part in kept.parts() if part.lane == lane for each in recount.leaves[part])
    waiting = next(sealed, None)
    previous = GENESIS
    for number, digest in kept.blocks[lane]:
        leaves = []
        while waiting is not None and waiting[0] <= number:
            leaves.append(waiting[1])
            waiting = next(sealed, None)
        previous = block_hash(previous, leaves)
        if not leaves or previous != digest:
            return int(number)
    return None if waiting is None else waiting[0]


def _has_two(entries: list[list[Any]], asset: str) -> bool:
    """Whether a leg that moves nothing has company; one that moves something has, or sums fail."""
    return len([entry for entry in entries if entry[3] == asset]) > 1
