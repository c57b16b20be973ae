"""Reads what the rules need, one statement a topic. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kernel.units import Ratio
from ledger.sqlite import Lane
from ledger.state import (
    Asset,
    Burn,
    Debt,
    HoldState,
    Lot,
    OrderState,
    Part,
    RuleTerms,
    SettlementKind,
    SettlementRule,
    Spending,
)

_LOT = "id, asset, issuer_id, funding, original, remaining, held, active_at, expires_at, order_id"
_ORDER = (
    "o.order_id, o.order_no, o.merchant_id, o.card_id, o.rule_version, "
    "o.points_asked, o.points_burned, o.points_gross, o.points_fee, o.points_returned, "
    "o.points_restored, o.coins_asked, o.coins_burned, o.coins_gross, o.coins_fee, "
    "o.coins_returned, o.coins_restored, o.earned, o.issue_fee, o.lot_id, o.reversed, "
    "o.recovered, o.coupon, o.coupon_returned"
)
_HEADS = """
SELECT (SELECT max(seq) FROM ledger_tx WHERE lane = 0),
       (SELECT max(id) FROM lot WHERE lane = 0),
       (SELECT max(id) FROM debt WHERE lane = 0),
       (SELECT max(month) FROM period WHERE lane = 0),
       version, issue_price, redeem_price, issue_fee_bps, redeem_fee_bps, breakage_issuer_bps
FROM settlement_rule
WHERE lane = 0 AND state = 'ACTIVE' AND effective_from <= max(?, 0)
ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Heads:
    """Where the books stand.

    Attributes:
        closed_month: the last closed month; None when none is.
        rule: in force at the event.
    """

    next_seq: int
    next_lot_id: int
    next_debt_id: int
    closed_month: int | None
    rule: SettlementRule


@dataclass(frozen=True, slots=True)
class HoldRow:
    """An attempt."""

    attempt_id: str
    card_id: str
    state: HoldState


@dataclass(frozen=True, slots=True)
class Account:
    """What an account has posted, and what of it is held."""

    posted: int = 0
    held: int = 0


def read_heads(lane: Lane, *, at: int) -> Heads:
    """Where the books stand, and the rule in force at an instant."""
    row = lane.first(_HEADS, (at,))
    assert row is not None, "the first rule is in force from the beginning"
    seq, lot, debt, closed, *rule = row
    return Heads((seq or 0) + 1, (lot or 0) + 1, (debt or 0) + 1, closed, _rule(*rule))


def read_accounts(lane: Lane, accounts: Sequence[str]) -> dict[str, Account]:
    """The accounts that exist, by name.

    Args:
        accounts: at most five.
    """
    padded = [*accounts, *[""] * (5 - len(accounts))]
    rows = lane.all(
        "SELECT account, posted, held FROM account WHERE lane = 0 AND account IN (?, ?, ?, ?, ?)",
        tuple(padded),
    )
    return {name: Account(posted, held) for name, posted, held in rows}


def read_hold(lane: Lane, attempt_id: str) -> HoldRow | None:
    """The attempt; None when the ledger has not heard of it."""
    row = lane.first(
        "SELECT card_id, state FROM hold WHERE lane = 0 AND attempt_id = ?", (attempt_id,)
    )
    return None if row is None else HoldRow(attempt_id, row[0], HoldState(row[1]))


def read_held(lane: Lane, attempt_id: str) -> tuple[tuple[Part, ...], list[Lot]]:
    """What an attempt picked, in order, and the lots that it picked from."""
    columns = ", ".join(f"l.{column}" for column in _LOT.split(", "))
    rows = lane.all(
        f"SELECT h.amount, {columns} FROM hold_lot h "
        "JOIN lot l ON l.lane = h.lane AND l.id = h.lot_id "
        "WHERE h.lane = 0 AND h.attempt_id = ? ORDER BY h.pick",
        (attempt_id,),
    )
    parts = tuple(Part(row[1], row[0]) for row in rows)
    return parts, [_lot(row[1:]) for row in rows]


def read_free_lots(
    lane: Lane,
    card_id: str,
    asset: Asset,
    *,
    wanted: int,
    now: int,
    with_pending: bool = False,
) -> list[Lot]:
    """Unexpired lots with free units, first to expire first, until they cover `wanted`."""
    if wanted <= 0:
        return []
    rows = lane.step(
        f"SELECT {_LOT} FROM lot WHERE lane = 0 AND card_id = ? AND asset = ? "
        "AND expires_at > ? AND remaining > 0 AND remaining > held AND active_at <= ? "
        "ORDER BY expires_at, id",
        (card_id, asset.value, now, 2**62 if with_pending else now),
    )
    lots: list[Lot] = []
    for row in rows:
        lots.append(_lot(row))
        wanted -= lots[-1].free
        if wanted <= 0:
            break
    rows.close()
    return lots


def read_due_lots(lane: Lane, *, until: int, limit: int) -> list[tuple[str, Lot]]:
    """Lots with free units that expire up to an instant, and their cards.

    In the order of expiry, those of one card together.
    """
    rows = lane.all(
        f"SELECT card_id, {_LOT} FROM lot WHERE lane = 0 AND remaining > held "
        "AND expires_at <= ? ORDER BY expires_at, card_id, id LIMIT ?",
        (until, limit),
    )
    return [(row[0], _lot(row[1:])) for row in rows]


def read_lots(lane: Lane, lot_ids: Iterable[int]) -> list[Lot]:
    """The lots with these ids, each once."""
    statement = f"SELECT {_LOT} FROM lot WHERE lane = 0 AND id = ?"
    rows = (lane.first(statement, (lot_id,)) for lot_id in dict.fromkeys(lot_ids))
    return [_lot(row) for row in rows if row is not None]


def read_debts(lane: Lane, card_id: str) -> tuple[Debt, ...]:
    """The open debts of a card, oldest first."""
    rows = lane.all(
        f"SELECT d.id, d.open, {_ORDER} FROM debt d INDEXED BY debt_open "
        "JOIN order_state o ON o.lane = d.lane AND o.order_id = d.order_id "
        "WHERE d.lane = 0 AND d.card_id = ? AND d.open > 0 ORDER BY d.id",
        (card_id,),
    )
    return tuple(Debt(row[0], row[1], _order(row[2:])) for row in rows)


def read_granted(lane: Lane, *, month: int, funder: str) -> int:
    """The face of the coins that a funder granted in a period, minor units."""
    row = lane.first(
        "SELECT -amount FROM position WHERE lane = 0 AND month = ? AND account = ? AND kind = ?",
        (month, funder, SettlementKind.COINS_ISSUE.value),
    )
    return 0 if row is None else int(row[0])


def read_order(lane: Lane, order_id: str) -> OrderState | None:
    """What is remembered of an order; None when it was not captured, or had no effect."""
    row = lane.first(
        f"SELECT {_ORDER} FROM order_state o WHERE o.lane = 0 AND o.order_id = ?", (order_id,)
    )
    return None if row is None else _order(row)


def was_captured(lane: Lane, order_id: str) -> bool:
    """Whether the order was answered, be it without any effect."""
    row = lane.first(
        "SELECT 1 FROM ledger_request WHERE lane = 0 AND operation = 'order' AND idem_key = ?",
        (order_id,),
    )
    return row is not None


def read_burns(lane: Lane, order_id: str) -> tuple[Burn, ...]:
    """What an order took, in the order it was taken."""
    rows = lane.all(
        "SELECT part, lot_id, asset, amount, funding, returned FROM burn "
        "WHERE lane = 0 AND order_id = ? ORDER BY part",
        (order_id,),
    )
    return tuple(
        Burn(order_id, part, lot_id, Asset(asset), amount, funding, returned)
        for part, lot_id, asset, amount, funding, returned in rows
    )


@lru_cache(maxsize=64)
def _rule(
    version: int, issue_price: str, redeem_price: str, issue_fee: int, redeem_fee: int, issuer: int
) -> SettlementRule:
    terms = RuleTerms(
        Ratio.parse(issue_price), Ratio.parse(redeem_price), issue_fee, redeem_fee, issuer
    )
    return SettlementRule(version, terms)


def _lot(row: Sequence[Any]) -> Lot:
    return Lot(row[0], Asset(row[1]), *row[2:])


def _order(row: Sequence[Any]) -> OrderState:
    spent = (Spending(*row[5:11]), Spending(*row[11:17]))
    return OrderState(row[0], row[1], row[2], row[3], row[4], *spent, *row[17:])
