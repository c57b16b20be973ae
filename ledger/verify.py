"""Proves the whole book, or names the first row that breaks an invariant.

Source: docs/rules/arithmetic.md, rule 7.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.database import Database
from ledger.chain import GENESIS, block_hash
from ledger.chain_reads import first_broken_block, read_heads
from ledger.closing import first_changed_month
from ledger.invariants import CHECKS, COUNTS, FUNDING
from ledger.lanes import lanes_of
from ledger.lots import residual_funding
from ledger.ports import cursor_on
from ledger.state import NEVER, Asset, Lot


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold.

    Attributes:
        invariant: its name.
        promise: what should be true.
        row: the first row for which it is not.
    """

    invariant: str
    promise: str
    row: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found, and of how much.

    Attributes:
        head: hash of the newest block, hexadecimal; None in an empty book. Of several lanes, the
            hash of theirs.
        findings: one per broken invariant, in the order they are checked.
    """

    transactions: int
    entries: int
    lots: int
    head: str | None
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every invariant holds."""
        return not self.findings


_CHAIN = "each block hashes the one before it and the transaction that it seals"
_JOURNAL = "the journal of a closed period is the one that was hashed when it closed"
_FUNDING = "the funding left in a lot is its funding less floor(funding · consumed / original)"


async def verify(database: Database) -> Report:
    """What the invariants say of the whole book.

    Two readers share the work, each on an unchanging state; the newest block is that of the state
    whose chain was recomputed.
    """
    found, (sealed, head) = await asyncio.gather(
        database.snapshot(_broken_invariants), database.snapshot(_broken_seals)
    )
    transactions, entries, lots = await database.snapshot(
        lambda connection: connection.execute(COUNTS).one()
    )
    return Report(transactions, entries, lots, head, (*found, *sealed))


def _broken_invariants(connection: Connection) -> list[Finding]:
    findings: list[Finding] = []
    broken: set[str] = set()
    for check in CHECKS:
        if check.follows_from is not None and check.follows_from not in broken:
            continue
        if check.probe is not None and connection.execute(check.probe).scalar_one() == 1:
            continue
        row = connection.execute(check.query).one_or_none()
        if row is not None:
            broken.add(check.invariant)
            findings.append(Finding(check.invariant, check.promise, _placed(row[1], row[0])))
    wrong_lot = _first_wrong_funding(connection)
    if wrong_lot is not None:
        findings.append(Finding("funding", _FUNDING, wrong_lot))
    return findings


def _broken_seals(connection: Connection) -> tuple[list[Finding], str | None]:
    """What is wrong with blocks and journals, and the hash of the newest block."""
    cursor = cursor_on(connection)
    findings: list[Finding] = []
    for lane in range(lanes_of(connection)):
        broken = first_broken_block(cursor, lane)
        if broken is not None:
            findings.append(Finding("V9", _CHAIN, _placed(f"block {broken}", lane)))
            break
    changed_month = first_changed_month(connection)
    if changed_month is not None:
        findings.append(Finding("journal", _JOURNAL, f"month {changed_month}"))
    return findings, _head_of(read_heads(cursor))


def _placed(what: str, lane: int) -> str:
    return what if lane == 0 else f"{what}, lane {lane}"


def _head_of(heads: list[bytes]) -> str | None:
    """One hash of all lanes: the newest block's, or that of all newest blocks together."""
    if len(heads) > 1:
        return block_hash(GENESIS, heads).hex()
    return heads[0].hex() if heads else None


def _first_wrong_funding(connection: Connection) -> str | None:
    """Compared here, since the product may not fit the database's whole numbers."""
    for lane, lot_id, funding, original, remaining, residual in connection.execute(FUNDING):
        lot = Lot(lot_id, Asset.POINTS, "", funding, original, remaining, 0, 0, NEVER)
        if residual_funding(lot) != residual:
            return _placed(f"lot {lot_id}", lane)
    return None
