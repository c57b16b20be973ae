"""What the write path reads, and how rows become values; `ledger/booking/books.py` asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kernel.units import Ratio
from kernel.values import value
from ledger.rules.state import (
    Asset,
    Burn,
    HoldState,
    Lot,
    OrderState,
    RuleTerms,
    SettlementRule,
    Spending,
)
from ledger.stores.port import Query, Row

LOT = "id, asset, issuer_id, funding, original, remaining, held, active_at, expires_at, order_id"
_ORDER = (
    "order_id, order_no, merchant_id, card_id, rule_version, points_asked, points_burned, "
    "points_gross, points_fee, points_returned, points_restored, coins_asked, coins_burned, "
    "coins_gross, coins_fee, coins_returned, coins_restored, earned, issue_fee, lot_id, reversed, "
    "recovered, coupon, coupon_returned"
)
_LOT_OF = ", ".join(f"l.{column}" for column in LOT.split(", "))
HEAD = Query(
    "SELECT lanes, next_seq, next_lot_id, next_debt_id, last_created_at, closed_month, hash "
    "FROM lane_head WHERE lane = {lane}"
)
RULES = Query(
    "SELECT effective_from, version, issue_price, redeem_price, issue_fee_bps, redeem_fee_bps, "
    "breakage_issuer_bps FROM settlement_rule "
    "WHERE lane = 0 AND state = 'APPROVED' ORDER BY effective_from, version"
)
ACCOUNTS = Query(
    "SELECT account, posted, held FROM account WHERE lane = {lane} AND account IN ({keys})"
)
HOLDS = Query(
    "SELECT attempt_id, card_id, state FROM hold WHERE lane = {lane} AND attempt_id IN ({keys})"
)
# The sum keeps PostgreSQL from seeing that each lot's lane is the one that is asked for. While the
# table is new and its statistics say that a lane has few lots, it would read all of them for each
# part that is held, and pick the lot from these.
HELD = Query(
    f"SELECT h.attempt_id, h.amount, {_LOT_OF} FROM hold_lot h "
    "JOIN lot l ON l.lane = h.lane + 0 AND l.id = h.lot_id "
    "WHERE h.lane = {lane} AND h.attempt_id IN ({keys}) ORDER BY h.attempt_id, h.pick"
)
ORDERS = Query(f"SELECT {_ORDER} FROM order_state WHERE lane = {{lane}} AND order_id IN ({{keys}})")
BURNS = Query(
    "SELECT order_id, part, lot_id, asset, amount, funding, returned FROM burn "
    "WHERE lane = {lane} AND order_id IN ({keys}) ORDER BY order_id, part"
)
LOTS = Query(f"SELECT {LOT} FROM lot WHERE lane = {{lane}} AND id IN ({{keys}})")
FREE_LOTS = Query(
    f"SELECT {LOT} FROM lot WHERE lane = {{lane}} AND card_id = ? AND asset = ? "
    "AND remaining > 0 AND remaining > held AND active_at <= ? "
    "AND (expires_at, id) > (?, ?) ORDER BY expires_at, id"
)
"""Its parameters: card, asset, active at, and (expiry, id) behind which to begin."""
DUE_LOTS = Query(
    f"SELECT card_id, {LOT} FROM lot WHERE lane = {{lane}} AND remaining > held "
    "AND expires_at <= ? ORDER BY expires_at, card_id, id LIMIT ?"
)
"""Its parameters: the last expiry, and how many."""
KIN = Query(
    "SELECT card_id, merge_id, other_id, is_survivor, is_undone FROM card_alias "
    "WHERE lane = 0 AND card_id IN ({keys}) ORDER BY card_id, merge_id"
)
PARTS = Query(
    "SELECT merge_id, kind, ref, amount FROM merged_part "
    "WHERE lane = {lane} AND merge_id IN ({keys}) ORDER BY kind, ref"
)
OWNED_LOTS = Query(f"SELECT card_id, {LOT} FROM lot WHERE lane = {{lane}} AND id IN ({{keys}})")
DEBTS = Query(
    "SELECT card_id, id, open, order_id FROM debt "
    "WHERE lane = {lane} AND open > 0 AND card_id IN ({keys}) ORDER BY card_id, id"
)
GRANTED = Query(
    "SELECT month, account, -sum(amount) FROM position "
    "WHERE lane IN (SELECT lane FROM lane_head) AND kind = 'COINS_ISSUE' AND account IN ({keys}) "
    "GROUP BY month, account"
)
ANSWERED = {
    operation: Query(
        "SELECT idem_key, request_hash, receipt FROM ledger_request "
        f"WHERE lane = {{lane}} AND operation = '{operation}' AND idem_key IN ({{keys}})"
    )
    for operation in (
        "hold",
        "release",
        "order",
        "refund",
        "grant",
        "merge",
        "unmerge",
        "forfeit",
    )
}
"""By operation."""


@dataclass(slots=True)
class Head:
    """Where a lane stands.

    Attributes:
        lanes: how many the ledger has.
        last_created_at: of the newest transaction; 0 before the first.
        closed_month: the last closed month; None when none is.
        hash: of the newest block; None before the first.
    """

    lanes: int
    next_seq: int
    next_lot_id: int
    next_debt_id: int
    last_created_at: int
    closed_month: int | None
    hash: bytes | None


@value
class HoldRow:
    """An attempt."""

    attempt_id: str
    card_id: str
    state: HoldState


@lru_cache(maxsize=64)
def rule_of(
    version: int, issue_price: str, redeem_price: str, issue_fee: int, redeem_fee: int, issuer: int
) -> SettlementRule:
    """The rule of a row of `RULES`, without its first column."""
    terms = RuleTerms(
        Ratio.parse(issue_price), Ratio.parse(redeem_price), issue_fee, redeem_fee, issuer
    )
    return SettlementRule(version, terms)


def lot_of(row: Sequence[Any]) -> Lot:
    """The lot of a row of `LOT`."""
    return Lot(row[0], _ASSETS[row[1]], *row[2:])


def order_of(row: Row) -> OrderState:
    """The order of a row of `ORDERS`."""
    spent = (Spending(*row[5:11]), Spending(*row[11:17]))
    return OrderState(row[0], row[1], row[2], row[3], row[4], *spent, *row[17:])


def burn_of(row: Row) -> Burn:
    """The burn of a row of `BURNS`."""
    order_id, part, lot_id, asset, amount, funding, returned = row
    return Burn(order_id, part, lot_id, _ASSETS[asset], amount, funding, returned)


_ASSETS = {asset.value: asset for asset in Asset}
