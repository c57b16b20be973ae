"""Counts again, from the rows that were booked, what is kept of them: leaves, sums, numbers.

One pass over transactions, entries and movements, in parts that may be counted side by side: what
is booked never changes, so that every later state of the database has it. Whether all is well is
told here; which row is wrong, the queries of `ledger/proofs/invariants.py` find.

Source: docs/rules/arithmetic.md, rules 7 and 8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ledger.stores.chain import GENESIS, block_hash, leaf_of_json
from ledger.stores.port import Cursor, Row

AT_ONCE = 1_024
UNASKED = ("EXPIRY", "MERGE", "ADJUSTMENT")
"""Kinds of transactions that no request is behind."""

_LAST = (
    "SELECT h.lane, coalesce((SELECT max(seq) FROM ledger_tx t WHERE t.lane = h.lane), 0) "
    "FROM lane_head h ORDER BY h.lane"
)
REQUESTS = "SELECT tx_seq, request_hash FROM ledger_request WHERE lane = ? AND tx_seq IS NOT NULL"
_BLOCKS = "SELECT seq, hash FROM block WHERE lane = ? ORDER BY seq"
_BOOKED = (
    "SELECT (SELECT count(*) FROM ledger_tx), (SELECT count(*) FROM entry), "
    "(SELECT count(*) FROM lot_move), "
    "(SELECT count(*) FROM ledger_request WHERE tx_seq IS NOT NULL), (SELECT count(*) FROM lot)"
)
_ACCOUNTS = "SELECT lane, asset, account, posted FROM account"
_POSITIONS = "SELECT lane, month, kind, account, amount, points, entries FROM position"

Posted = dict[tuple[int, str], dict[str, int]]
"""Units, by lane and asset, then by account: one text to look up, and no tuple to make."""
Positions = dict[tuple[int, int], dict[str, dict[str, list[int]]]]
"""Amount, points and entries, by lane and month, then by kind, then by account."""


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
        booked: how many transactions, entries, movements, and requests with a transaction.
        lots: how many lots.
    """

    last: list[int]
    blocks: list[list[Row]]
    booked: tuple[int, int, int, int]
    lots: int
    accounts: Posted
    positions: Positions

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
        is_sound: whether every transaction sums to zero in each asset, over two legs or more, lies
            with its entries in one period, and has a request if it is of a kind that has.
    """

    leaves: dict[Part, list[tuple[int, bytes]]] = field(default_factory=dict)
    transactions: int = 0
    entries: int = 0
    moves: int = 0
    requests: int = 0
    accounts: Posted = field(default_factory=dict)
    positions: Positions = field(default_factory=dict)
    is_sound: bool = True

    def count(self, part: Part, request_of: Mapping[int, str], sealed: Iterable[bytes]) -> None:
        """Adds one part, unless it was added: a read that fails at its end is done again.

        Args:
            request_of: the hash of the request behind each transaction that has one.
            sealed: see `ledger.stores.sealed`.
        """
        if part in self.leaves:
            return
        leaves = []
        for rows in sealed:
            seq = int(rows[1 : rows.index(b",")])
            request = request_of.get(seq)
            leaves.append((seq, leaf_of_json(request or "", rows)))
            self.requests += request is not None
            try:
                # One by one: what many at once become does not fit the processor's cache.
                tx, entries, moves = orjson.loads(b"[%b]" % rows)
            except orjson.JSONDecodeError:  # A damaged file may hold text that is none.
                self.is_sound = False
                continue
            if (tx[1] in UNASKED) is not (request is None):
                self.is_sound = False
            self.moves += len(moves)
            self._add(part.lane, tx[7], entries)
        self.transactions += len(leaves)
        self.leaves[part] = leaves

    def add(self, other: Recount) -> None:
        """Adds other parts."""
        self.leaves |= other.leaves
        self.transactions += other.transactions
        self.entries += other.entries
        self.moves += other.moves
        self.requests += other.requests
        self.is_sound = self.is_sound and other.is_sound
        for asset, posted in other.accounts.items():
            mine = self.accounts.setdefault(asset, {})
            for account, amount in posted.items():
                mine[account] = mine.get(account, 0) + amount
        for month, by_kind in other.positions.items():
            for kind, by_account in by_kind.items():
                known = self.positions.setdefault(month, {}).setdefault(kind, {})
                for account, sums in by_account.items():
                    before = known.get(account, (0, 0, 0))
                    known[account] = [a + b for a, b in zip(before, sums, strict=True)]

    def agrees_with(self, kept: Kept) -> bool:
        """Whether the books keep exactly this; an account may be one that nothing was posted to."""
        booked = (self.transactions, self.entries, self.moves, self.requests)
        untouched: dict[str, int] = {}
        return (
            self.is_sound
            and booked == kept.booked
            and self.accounts.keys() <= kept.accounts.keys()
            and all(
                _is_posted(self.accounts.get(asset, untouched), posted)
                for asset, posted in kept.accounts.items()
            )
            and self.positions == kept.positions
        )

    def _add(self, lane: int, month: int, entries: list[list[Any]]) -> None:
        by_kind, accounts = self.positions.get((lane, month), {}), self.accounts
        money = points = coins = 0
        for _, _, account, asset, kind, amount, moved, in_month, _, _ in entries:
            if asset == "SETTLEMENT":
                money += amount
                try:
                    sums = by_kind[kind][account]
                except KeyError:
                    by_kind = self.positions.setdefault((lane, month), by_kind)
                    sums = by_kind.setdefault(kind, {}).setdefault(account, [0, 0, 0])
                sums[0] += amount
                sums[1] += moved
                sums[2] += 1
            else:
                if asset == "POINTS":
                    points += amount
                else:
                    coins += amount
                try:
                    accounts[lane, asset][account] += amount
                except KeyError:
                    accounts.setdefault((lane, asset), {})[account] = amount
            if in_month != month or not amount:
                self.is_sound = self.is_sound and in_month == month and _has_two(entries, asset)
        self.entries += len(entries)
        if money or points or coins or not entries:
            self.is_sound = False


def read_kept(cursor: Cursor) -> Kept:
    """All that the books keep of what was booked."""
    heads = cursor.all(_LAST)
    lanes = [(lane,) for lane, _ in heads]
    [booked] = cursor.all(_BOOKED)
    accounts: Posted = {}
    for lane, asset, account, posted in cursor.all(_ACCOUNTS):
        accounts.setdefault((lane, asset), {})[account] = posted
    positions: Positions = {}
    for lane, month, kind, account, *sums in cursor.all(_POSITIONS):
        positions.setdefault((lane, month), {}).setdefault(kind, {})[account] = sums
    return Kept(
        last=[last for _, last in heads],
        blocks=[cursor.all(_BLOCKS, lane) for lane in lanes],
        booked=booked[:4],
        lots=booked[4],
        accounts=accounts,
        positions=positions,
    )


def read_requests(lane: int, cursor: Cursor) -> dict[int, str]:
    """The hash of the request behind each transaction of a lane."""
    return dict(cursor.all(REQUESTS, (lane,)))


def _is_posted(counted: dict[str, int], kept: dict[str, int]) -> bool:
    return counted.keys() <= kept.keys() and all(
        counted.get(account, 0) == posted for account, posted in kept.items()
    )


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
