"""Proves the whole book, or names the first row that breaks an invariant.

Source: docs/rules/arithmetic.md, rule 7.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.database import Database
from ledger.clearing.closing import first_changed_month
from ledger.proofs.invariants import CHECKS, FUNDING
from ledger.proofs.recount import Kept, Recount, first_broken_block, read_kept
from ledger.proofs.recounting import Asker, all_or_none, asking, recounted
from ledger.rules.lots import residual_funding
from ledger.rules.state import NEVER, Asset, Lot
from ledger.stores.chain import GENESIS, block_hash
from ledger.stores.ports import cursor_on


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

_OTHERS = ("funding", "V9", "journal")


async def verify(database: Database) -> Report:
    """What the invariants say of the whole book.

    The newest block is that of the state whose chain was recomputed. The database is asked first,
    then all is counted, in pieces between which others read; other processes begin to count large
    books meanwhile.
    """

    kept = await database.snapshot(lambda connection: read_kept(cursor_on(connection)))
    is_checked = asyncio.Event()

    async def check() -> dict[str, Finding]:
        try:
            async with asking(database, kept) as asker:
                found = await _broken(asker, is_counted=False)
            return found | await _broken_otherwise(database)
        finally:
            is_checked.set()

    async with all_or_none() as group:
        checking = group.create_task(check())
        counting = group.create_task(recounted(database, kept, after=is_checked))
    found, recount = checking.result(), counting.result()
    if not recount.agrees_with(kept):
        found |= await _broken(Asker(database), is_counted=True)
    found |= _broken_chain(kept, recount)
    heads = [blocks[-1][1] for blocks in kept.blocks if blocks]
    order = [*(each.invariant for each in CHECKS), *_OTHERS]
    findings = sorted(found.values(), key=lambda finding: order.index(finding.invariant))
    transactions, entries, *_ = kept.booked
    return Report(transactions, entries, kept.lots, _head_of(heads), tuple(findings))


async def _broken(asker: Asker, *, is_counted: bool) -> dict[str, Finding]:
    """What the queries find by themselves, or those do that are asked when the count is off."""
    found: dict[str, Finding] = {}
    for check in CHECKS:
        if check.is_counted is is_counted:
            row = await asker.first_row(check.query)
            if row is not None:
                where = _placed(row[1], row[0])
                found[check.invariant] = Finding(check.invariant, check.promise, where)
    return found


async def _broken_otherwise(database: Database) -> dict[str, Finding]:
    """What is computed here of lots and closed periods."""
    found: dict[str, Finding] = {}
    wrong_lot = await database.snapshot(_first_wrong_funding)
    if wrong_lot is not None:
        found["funding"] = Finding("funding", _FUNDING, wrong_lot)
    changed_month = await database.snapshot(first_changed_month)
    if changed_month is not None:
        found["journal"] = Finding("journal", _JOURNAL, f"month {changed_month}")
    return found


def _broken_chain(kept: Kept, recount: Recount) -> dict[str, Finding]:
    for lane in range(len(kept.last)):
        block = first_broken_block(kept, recount, lane)
        if block is not None:
            return {"V9": Finding("V9", _CHAIN, _placed(f"block {block}", lane))}
    return {}


def _placed(what: str, lane: int) -> str:
    return what if lane == 0 else f"{what}, lane {lane}"


def _head_of(heads: list[bytes]) -> str | None:
    """One hash of all lanes: the newest block's, or that of all newest blocks together."""
    if len(heads) > 1:
        return block_hash(GENESIS, heads).hex()
    return heads[0].hex() if heads else None


def _first_wrong_funding(connection: Connection) -> str | None:
    """Of those that the database finds wrong, or can not tell; see `FUNDING`."""
    for lane, lot_id, funding, original, remaining, residual in connection.execute(FUNDING):
        lot = Lot(lot_id, Asset.POINTS, "", funding, original, remaining, 0, 0, NEVER)
        if residual_funding(lot) != residual:
            return _placed(f"lot {lot_id}", lane)
    return None
