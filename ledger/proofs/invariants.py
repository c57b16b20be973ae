"""The invariants of the books that the database checks by itself; each finds the first bad row.

Source: docs/rules/arithmetic.md, rule 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.statements import Prepared
from ledger.proofs.recount import UNASKED


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant.

    Attributes:
        query: gives (lane, what is wrong) of the first row for which it does not hold.
        is_counted: whether `ledger/proofs/recount.py` tells that it holds; the query names the row.
    """

    invariant: str
    promise: str
    query: Prepared
    is_counted: bool = False


def _unequal(
    invariant: str,
    promise: str,
    *,
    what: str,
    key: str,
    sums: str,
    sides: tuple[str, ...],
    is_counted: bool = False,
) -> Check:
    """What some tables sum to by a key is what others do, counted with the other sign."""
    differs = " OR ".join(f"sum({column}) <> 0" for column in sums.split(", "))
    return Check(
        invariant,
        promise,
        Prepared(
            f"SELECT lane, {what} FROM ({' UNION ALL '.join(sides)}) AS sides "
            f"GROUP BY lane, {key} HAVING {differs} ORDER BY lane, {key} LIMIT 1"
        ),
        is_counted=is_counted,
    )


_IN_ASSET = " OR ".join(
    f"sum(CASE WHEN asset = '{asset}' THEN amount ELSE 0 END) <> 0 "
    f"OR sum(CASE WHEN asset = '{asset}' THEN 1 ELSE 0 END) = 1"
    for asset in ("POINTS", "COINS", "SETTLEMENT")
)
_WITHOUT_TX = (
    "SELECT {table}.lane AS lane, '{what} of transaction ' || {table}.seq AS what FROM {table} "
    "LEFT JOIN ledger_tx t ON t.lane = {table}.lane AND t.seq = {table}.seq WHERE t.seq IS NULL"
)

CHECKS = (
    Check(
        "V1",
        "every transaction sums to zero in each asset, over two legs or more",
        Prepared(
            "SELECT e.lane, 'transaction ' || e.seq || ' in ' || e.asset FROM entry e JOIN ("
            f"SELECT lane, seq FROM entry GROUP BY lane, seq HAVING {_IN_ASSET} "
            "ORDER BY lane, seq LIMIT 1) AS bad ON bad.lane = e.lane AND bad.seq = e.seq "
            "GROUP BY e.lane, e.seq, e.asset HAVING sum(e.amount) <> 0 OR count(*) < 2 "
            "ORDER BY e.asset LIMIT 1"
        ),
        is_counted=True,
    ),
    _unequal(
        "V2",
        "an account has posted what its entries sum to",
        what="'account ' || account",
        key="account, asset",
        sums="amount",
        sides=(
            "SELECT lane, account, asset, posted AS amount FROM account",
            "SELECT lane, account, asset, -amount FROM entry WHERE asset <> 'SETTLEMENT'",
        ),
        is_counted=True,
    ),
    _unequal(
        "V2-positions",
        "a party's position in a period is what its entries sum to",
        what="'position of ' || account || ' in month ' || month || ', ' || kind",
        key="month, account, kind",
        sums="amount, points, entries",
        sides=(
            "SELECT lane, month, account, kind, amount, points, entries FROM position",
            "SELECT lane, month, account, kind, -amount, -points, -1 FROM entry "
            "WHERE asset = 'SETTLEMENT'",
        ),
        is_counted=True,
    ),
    _unequal(
        "V3",
        "a card has posted what its lots still hold",
        what="'account ' || account",
        key="account",
        sums="amount",
        sides=(
            "SELECT lane, account, posted AS amount FROM account WHERE has_floor = 1",
            "SELECT lane, lower(asset) || ':' || card_id, -remaining FROM lot",
        ),
    ),
    _unequal(
        "V4",
        "a lot holds what its movements sum to, in units and in funding",
        what="'lot ' || id",
        key="id",
        sums="amount, funding",
        sides=(
            "SELECT lane, id, remaining AS amount, residual AS funding FROM lot",
            "SELECT lane, lot_id, -amount, -funding FROM lot_move",
        ),
    ),
    _unequal(
        "V5",
        "an account holds what open checkouts hold of it",
        what="'account ' || account",
        key="account",
        sums="amount",
        sides=(
            "SELECT lane, account, held AS amount FROM account",
            "SELECT lane, 'points:' || card_id, -points FROM hold WHERE state = 'HELD'",
            "SELECT lane, 'coins:' || card_id, -coins FROM hold WHERE state = 'HELD'",
        ),
    ),
    _unequal(
        "V6",
        "a lot holds what open checkouts picked of it",
        what="'lot ' || id",
        key="id",
        sums="amount",
        sides=(
            "SELECT lane, id, held AS amount FROM lot WHERE held <> 0",
            "SELECT p.lane, p.lot_id, -p.amount FROM hold_lot p "
            "JOIN hold h ON h.lane = p.lane AND h.attempt_id = p.attempt_id "
            "WHERE h.state = 'HELD'",
        ),
    ),
    Check(
        "V7",
        "every entry and movement has its transaction, and the reverse",
        Prepared(
            "SELECT lane, what FROM ("
            + _WITHOUT_TX.format(table="entry", what="entry")
            + " UNION ALL "
            + _WITHOUT_TX.format(table="lot_move", what="movement")
            + " UNION ALL SELECT t.lane, 'transaction ' || t.seq FROM ledger_tx t "
            "WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.lane = t.lane AND e.seq = t.seq) "
            "UNION ALL SELECT e.lane, 'entry of transaction ' || e.seq FROM entry e "
            "JOIN ledger_tx t ON t.lane = e.lane AND t.seq = e.seq WHERE e.month <> t.month"
            ") AS orphans LIMIT 1"
        ),
        is_counted=True,
    ),
    Check(
        "V7-cards",
        "every line of a card's history has its transaction, which is of that card",
        Prepared(
            "SELECT c.lane, 'card entry of transaction ' || c.seq FROM card_entry c "
            "LEFT JOIN ledger_tx t ON t.lane = c.lane AND t.seq = c.seq AND t.card_id = c.card_id "
            "WHERE t.seq IS NULL ORDER BY c.lane, c.card_id, c.seq LIMIT 1"
        ),
    ),
    Check(
        "V8",
        "the whole book sums to zero in each asset",
        Prepared(
            "SELECT lane, asset FROM entry GROUP BY lane, asset HAVING sum(amount) <> 0 "
            "ORDER BY lane, asset LIMIT 1"
        ),
        is_counted=True,
    ),
    Check(
        "V8-periods",
        "each period sums to zero in money",
        Prepared(
            "SELECT lane, 'month ' || month FROM position "
            "GROUP BY lane, month HAVING sum(amount) <> 0 ORDER BY lane, month LIMIT 1"
        ),
    ),
    _unequal(
        "V11",
        "each request with an effect has one transaction, and each of these one that has a request",
        what="'transaction ' || seq",
        key="seq",
        sums="n",
        sides=(
            f"SELECT lane, seq, 1 AS n FROM ledger_tx WHERE kind NOT IN {UNASKED}",
            "SELECT lane, tx_seq, -1 FROM ledger_request WHERE tx_seq IS NOT NULL",
        ),
        is_counted=True,
    ),
    Check(
        "pool",
        "the pool is the residual funding of all lots",
        Prepared(
            "SELECT lane, 'pool ' || pool || ', lots ' || lots FROM (SELECT h.lane AS lane, "
            "(SELECT coalesce(sum(amount), 0) FROM position p "
            "WHERE p.lane = h.lane AND p.account = 'POOL') AS pool, "
            "(SELECT coalesce(sum(residual), 0) FROM lot l WHERE l.lane = h.lane) AS lots "
            "FROM lane_head h) AS funding WHERE pool <> lots ORDER BY lane LIMIT 1"
        ),
    ),
    _unequal(
        "debt",
        "a card owes what its open debts sum to",
        what="'account ' || account",
        key="account",
        sums="amount",
        sides=(
            "SELECT lane, account, posted AS amount FROM account WHERE account LIKE 'debt:%'",
            "SELECT lane, 'debt:' || card_id, open FROM debt",
        ),
    ),
    _unequal(
        "history",
        "a card's history sums to what the card has",
        what="'card ' || card",
        key="card, asset",
        sums="amount",
        sides=(
            "SELECT lane, substr(account, CASE WHEN account LIKE 'points:%' THEN 8 "
            "WHEN account LIKE 'coins:%' THEN 7 ELSE 6 END) AS card, asset, posted AS amount "
            "FROM account WHERE account NOT LIKE '%\\:issued'",
            # Summed in the order of the key first: fewer rows to sort.
            "SELECT lane, card_id, 'POINTS', -sum(points) FROM card_entry "
            "GROUP BY lane, card_id HAVING sum(points) <> 0",
            "SELECT lane, card_id, 'COINS', -sum(coins) FROM card_entry "
            "GROUP BY lane, card_id HAVING sum(coins) <> 0",
        ),
    ),
    Check(
        "lanes",
        "every lane stands behind its last transaction, lot, debt and block, and is closed alike",
        Prepared(
            "SELECT lane, 'head of lane ' || lane FROM ("
            "SELECT h.lane AS lane, h.next_seq - 1 AS seq, h.next_lot_id - 1 AS lot, "
            "h.next_debt_id - 1 AS debt, coalesce(h.closed_month, -1) AS closed, "
            "(SELECT coalesce(max(seq), 0) FROM ledger_tx t WHERE t.lane = h.lane) AS last_seq, "
            "(SELECT coalesce(max(id), 0) FROM lot l WHERE l.lane = h.lane) AS last_lot, "
            "(SELECT coalesce(max(id), 0) FROM debt d WHERE d.lane = h.lane) AS last_debt, "
            "(SELECT coalesce(max(month), -1) FROM period WHERE lane = 0) AS last_closed, "
            "(SELECT count(*) FROM lane_head) AS lanes, h.lanes AS all_lanes FROM lane_head h"
            ") AS heads WHERE seq <> last_seq OR lot <> last_lot OR debt <> last_debt "
            "OR closed <> last_closed OR lanes <> all_lanes ORDER BY lane LIMIT 1"
        ),
    ),
)
FUNDING = Prepared(
    "SELECT lane, id, funding, original, remaining, residual FROM lot WHERE NOT CASE "
    "WHEN original BETWEEN 1 AND 2147483647 AND funding BETWEEN 0 AND 2147483647 "
    "AND remaining BETWEEN 0 AND original "
    "THEN residual = funding - funding * (original - remaining) / original ELSE 1 = 0 END "
    "ORDER BY lane, id"
)
"""Lots whose funding is not what it should be, and those whose product may not fit the database's
whole numbers: they are compared in Python."""
