"""The invariants of the whole book, as queries; each names the first row that breaks it.

Source: docs/rules/arithmetic.md, rule 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.chain_reads import first_broken_block, read_heads
from ledger.closing import first_changed_month
from ledger.lots import residual_funding
from ledger.sqlite import Cursor
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
        head: hash of the newest block, hexadecimal; None in an empty book.
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


@dataclass(frozen=True, slots=True)
class _Check:
    invariant: str
    promise: str
    query: str


_CHECKS = (
    _Check(
        "V1",
        "every transaction sums to zero in each asset, over two legs or more",
        "SELECT 'transaction ' || seq || ' in ' || asset FROM entry WHERE lane = 0 "
        "GROUP BY seq, asset HAVING sum(amount) <> 0 OR count(*) < 2 ORDER BY seq LIMIT 1",
    ),
    _Check(
        "V2",
        "an account has posted what its entries sum to",
        "SELECT 'account ' || account FROM ("
        "SELECT account, asset, posted AS amount FROM account WHERE lane = 0 UNION ALL "
        "SELECT account, asset, -amount FROM entry WHERE lane = 0 AND asset <> 'SETTLEMENT') "
        "GROUP BY account, asset HAVING sum(amount) <> 0 ORDER BY account LIMIT 1",
    ),
    _Check(
        "V2-positions",
        "a party's position in a period is what its entries sum to",
        "SELECT 'position of ' || account || ' in month ' || month || ', ' || kind FROM ("
        "SELECT month, account, kind, amount, points, entries FROM position WHERE lane = 0 "
        "UNION ALL SELECT month, account, kind, -amount, -points, -1 FROM entry "
        "WHERE lane = 0 AND asset = 'SETTLEMENT') GROUP BY month, account, kind "
        "HAVING sum(amount) <> 0 OR sum(points) <> 0 OR sum(entries) <> 0 "
        "ORDER BY month, account LIMIT 1",
    ),
    _Check(
        "V3",
        "a card has posted what its lots still hold",
        "SELECT 'account ' || account FROM ("
        "SELECT account, posted AS amount FROM account WHERE lane = 0 AND has_floor = 1 "
        "UNION ALL SELECT lower(asset) || ':' || card_id, -remaining FROM lot WHERE lane = 0) "
        "GROUP BY account HAVING sum(amount) <> 0 ORDER BY account LIMIT 1",
    ),
    _Check(
        "V4",
        "a lot holds what its movements sum to, in units and in funding",
        "SELECT 'lot ' || id FROM ("
        "SELECT id, remaining AS amount, residual AS funding FROM lot WHERE lane = 0 "
        "UNION ALL SELECT lot_id, -amount, -funding FROM lot_move WHERE lane = 0) "
        "GROUP BY id HAVING sum(amount) <> 0 OR sum(funding) <> 0 ORDER BY id LIMIT 1",
    ),
    _Check(
        "V5",
        "an account holds what open checkouts hold of it",
        "SELECT 'account ' || account FROM ("
        "SELECT account, held AS amount FROM account WHERE lane = 0 "
        "UNION ALL SELECT 'points:' || card_id, -points FROM hold "
        "WHERE lane = 0 AND state = 'HELD' "
        "UNION ALL SELECT 'coins:' || card_id, -coins FROM hold "
        "WHERE lane = 0 AND state = 'HELD') "
        "GROUP BY account HAVING sum(amount) <> 0 ORDER BY account LIMIT 1",
    ),
    _Check(
        "V6",
        "a lot holds what open checkouts picked of it",
        "SELECT 'lot ' || id FROM ("
        "SELECT id, held AS amount FROM lot WHERE lane = 0 "
        "UNION ALL SELECT p.lot_id, -p.amount FROM hold_lot p "
        "JOIN hold h ON h.lane = p.lane AND h.attempt_id = p.attempt_id "
        "WHERE p.lane = 0 AND h.state = 'HELD') "
        "GROUP BY id HAVING sum(amount) <> 0 ORDER BY id LIMIT 1",
    ),
    _Check(
        "V7",
        "every entry, movement and card entry has its transaction, and the reverse",
        "SELECT what FROM ("
        "SELECT 'entry of transaction ' || seq AS what FROM entry "
        "WHERE lane = 0 AND seq NOT IN (SELECT seq FROM ledger_tx WHERE lane = 0) "
        "UNION ALL SELECT 'movement of transaction ' || seq FROM lot_move "
        "WHERE lane = 0 AND seq NOT IN (SELECT seq FROM ledger_tx WHERE lane = 0) "
        "UNION ALL SELECT 'card entry of transaction ' || seq FROM card_entry "
        "WHERE lane = 0 AND seq NOT IN (SELECT seq FROM ledger_tx WHERE lane = 0) "
        "UNION ALL SELECT 'transaction ' || seq FROM ledger_tx "
        "WHERE lane = 0 AND seq NOT IN (SELECT seq FROM entry WHERE lane = 0) "
        "UNION ALL SELECT 'entry of transaction ' || e.seq FROM entry e "
        "JOIN ledger_tx t ON t.lane = e.lane AND t.seq = e.seq "
        "WHERE e.lane = 0 AND e.month <> t.month) LIMIT 1",
    ),
    _Check(
        "V8",
        "the whole book sums to zero in each asset, and each period in money",
        "SELECT what FROM ("
        "SELECT asset AS what FROM entry WHERE lane = 0 GROUP BY asset HAVING sum(amount) <> 0 "
        "UNION ALL SELECT 'month ' || month FROM position WHERE lane = 0 "
        "GROUP BY month HAVING sum(amount) <> 0) LIMIT 1",
    ),
    _Check(
        "V11",
        "every request that had an effect has one transaction, and each but an expiry the reverse",
        "SELECT 'transaction ' || seq FROM ("
        "SELECT seq, 1 AS n FROM ledger_tx WHERE lane = 0 AND kind <> 'EXPIRY' "
        "UNION ALL SELECT tx_seq, -1 FROM ledger_request "
        "WHERE lane = 0 AND tx_seq IS NOT NULL) "
        "GROUP BY seq HAVING sum(n) <> 0 ORDER BY seq LIMIT 1",
    ),
    _Check(
        "pool",
        "the pool is the residual funding of all lots",
        "SELECT 'pool ' || pool || ', lots ' || lots FROM (SELECT "
        "(SELECT coalesce(sum(amount), 0) FROM position "
        "WHERE lane = 0 AND account = 'POOL') AS pool, "
        "(SELECT coalesce(sum(residual), 0) FROM lot WHERE lane = 0) AS lots) "
        "WHERE pool <> lots",
    ),
    _Check(
        "debt",
        "a card owes what its open debts sum to",
        "SELECT 'account ' || account FROM ("
        "SELECT account, posted AS amount FROM account WHERE lane = 0 AND account LIKE 'debt:%' "
        "UNION ALL SELECT 'debt:' || card_id, open FROM debt WHERE lane = 0) "
        "GROUP BY account HAVING sum(amount) <> 0 ORDER BY account LIMIT 1",
    ),
    _Check(
        "history",
        "a card's history sums to what the card has",
        "SELECT 'card ' || card FROM ("
        "SELECT substr(account, instr(account, ':') + 1) AS card, asset, posted AS amount "
        "FROM account WHERE lane = 0 AND account NOT LIKE '%:issued' "
        "UNION ALL SELECT card_id, 'POINTS', -points FROM card_entry WHERE lane = 0 "
        "UNION ALL SELECT card_id, 'COINS', -coins FROM card_entry WHERE lane = 0) "
        "GROUP BY card, asset HAVING sum(amount) <> 0 ORDER BY card LIMIT 1",
    ),
)
_CHAIN = "each block hashes the one before it and the transaction that it seals"
_JOURNAL = "the journal of a closed period is the one that was hashed when it closed"
_FUNDING = "the funding left in a lot is its funding less floor(funding · consumed / original)"


def verify(connection: Connection) -> Report:
    """What the invariants say of the whole book, in one state of the database."""
    findings = [
        Finding(check.invariant, check.promise, row[0])
        for check in _CHECKS
        if (row := connection.exec_driver_sql(check.query).first()) is not None
    ]
    wrong_lot = _first_wrong_funding(connection)
    if wrong_lot is not None:
        findings.append(Finding("funding", _FUNDING, f"lot {wrong_lot}"))
    cursor = Cursor(connection)
    broken = first_broken_block(cursor, 0)
    if broken is not None:
        findings.append(Finding("V9", _CHAIN, f"block {broken}"))
    heads = read_heads(cursor)
    head = heads[0] if heads else None
    changed_month = first_changed_month(connection)
    if changed_month is not None:
        findings.append(Finding("journal", _JOURNAL, f"month {changed_month}"))
    transactions, entries, lots = connection.exec_driver_sql(
        "SELECT (SELECT count(*) FROM ledger_tx), (SELECT count(*) FROM entry), "
        "(SELECT count(*) FROM lot)"
    ).one()
    return Report(
        transactions, entries, lots, None if head is None else head.hex(), tuple(findings)
    )


def _first_wrong_funding(connection: Connection) -> int | None:
    """Compared here, since the product may not fit the database's whole numbers."""
    rows = connection.exec_driver_sql(
        "SELECT id, funding, original, remaining, residual FROM lot WHERE lane = 0 AND NOT "
        "((remaining = original AND residual = funding) OR (remaining = 0 AND residual = 0)) "
        "ORDER BY id"
    )
    for lot_id, funding, original, remaining, residual in rows:
        lot = Lot(lot_id, Asset.POINTS, "", funding, original, remaining, 0, 0, NEVER)
        if residual_funding(lot) != residual:
            return int(lot_id)
    return None
