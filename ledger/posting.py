"""Writes a draft: one executemany a table. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger import chain
from ledger.book import CardChange, Draft
from ledger.loading import Account
from ledger.lots import residual_funding
from ledger.sqlite import Lane
from ledger.state import Asset, Burn, HoldState, Lot, OrderState, Part, TxKind

ISSUED = {Asset.POINTS: "points:issued", Asset.COINS: "coins:issued"}
"""The accounts that units come from and go to."""

_TX = "INSERT INTO ledger_tx VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ENTRY = "INSERT INTO entry VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CARD_ENTRY = "INSERT INTO card_entry VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LOT_MOVE = "INSERT INTO lot_move VALUES (0, ?, ?, ?, ?, ?, ?)"
_DEBT = (
    "INSERT INTO debt VALUES (0, ?, ?, ?, ?, ?) "
    "ON CONFLICT (lane, id) DO UPDATE SET open = excluded.open"
)
_BURN = (
    "INSERT INTO burn VALUES (0, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (lane, order_id, part) DO UPDATE SET returned = excluded.returned"
)
_LOT = (
    "INSERT INTO lot VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (lane, id) "
    "DO UPDATE SET card_id = excluded.card_id, residual = excluded.residual, "
    "remaining = excluded.remaining, held = excluded.held"
)
_ACCOUNT = (
    "INSERT INTO account VALUES (0, ?, ?, ?, ?, ?) ON CONFLICT (lane, account) "
    "DO UPDATE SET posted = excluded.posted, held = excluded.held"
)
_POSITION = (
    "INSERT INTO position VALUES (0, ?, ?, ?, ?, ?, 1) ON CONFLICT (lane, month, account, kind) "
    "DO UPDATE SET amount = amount + excluded.amount, points = points + excluded.points, "
    "entries = entries + 1"
)
_ORDER = (
    f"INSERT INTO order_state VALUES (0{', ?' * 24}) ON CONFLICT (lane, order_id) DO UPDATE SET "
    "points_returned = excluded.points_returned, points_restored = excluded.points_restored, "
    "coins_returned = excluded.coins_returned, coins_restored = excluded.coins_restored, "
    "reversed = excluded.reversed, recovered = excluded.recovered, "
    "coupon_returned = excluded.coupon_returned"
)


@dataclass(frozen=True, slots=True)
class Event:
    """Where and when a draft takes effect; instants in microseconds.

    Attributes:
        seq: counts the transactions of the lane.
        month: the clearing period that it is posted in.
        origin_month: the closed period that it belongs to; None when that is `month`.
        reason: why, in somebody's words.
    """

    seq: int
    kind: TxKind
    card_id: str | None
    merchant_id: str | None
    order_no: str | None
    at: int
    created_at: int
    month: int
    origin_month: int | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    account: str
    asset: Asset
    kind: str
    amount: int
    points: int = 0
    rule_version: int | None = None
    order_no: str | None = None


def card_accounts(card_id: str) -> list[str]:
    """The accounts that an event of a card may move, parties of settlement aside."""
    card = [f"points:{card_id}", f"debt:{card_id}", f"coins:{card_id}"]
    return [*card, *ISSUED.values()]


def write_event(lane: Lane, event: Event, draft: Draft, accounts: Mapping[str, Account]) -> None:
    """Enters a draft into the books.

    Args:
        accounts: those of `card_accounts` that exist, as they are now.
    """
    rows = _unit_rows(event, draft) + _settlement_rows(draft)
    tx = (
        event.seq, event.kind.value, event.card_id, event.merchant_id, event.order_no,
        event.at, event.created_at, event.month, event.origin_month, event.reason,
    )  # fmt: skip
    entries = [_entry_row(event, leg, row) for leg, row in enumerate(rows)]
    moves = [
        (event.seq, leg, move.lot_id, move.amount, move.funding_minor, event.month)
        for leg, move in enumerate(draft.moves)
    ]
    lane.run(_TX, tx)
    lane.run_many(_ENTRY, entries)
    lane.run_many(_LOT_MOVE, moves)
    chain.seal(lane, tx, entries, moves)
    lane.run_many(
        _POSITION,
        [
            (event.month, row.account, row.kind, row.amount, row.points)
            for row in rows
            if row.asset is Asset.SETTLEMENT
        ],
    )
    write_orders(lane, event.card_id, draft)
    if event.card_id is not None:
        lane.run_many(_CARD_ENTRY, _card_lines(event, event.card_id, draft, accounts))
    write_lots(lane, event.card_id, draft, accounts, rows)


def write_lots(
    lane: Lane,
    card_id: str | None,
    draft: Draft,
    accounts: Mapping[str, Account],
    rows: Sequence[_Row] = (),
) -> None:
    """Writes the lots that changed, and what the card's accounts post and hold."""
    if card_id is None:
        return
    lane.run_many(_LOT, [_lot_row(card_id, draft.lots[lot_id]) for lot_id in draft.touched])
    _write_accounts(lane, card_id, draft, accounts, rows)


def write_hold(
    lane: Lane,
    attempt_id: str,
    card_id: str,
    state: HoldState,
    *,
    parts: Sequence[Part] = (),
    points: int = 0,
    coins: int = 0,
    decided_at: int | None = None,
) -> None:
    """Writes an attempt and what it picked, or decides it."""
    lane.run(
        "INSERT INTO hold VALUES (0, ?, ?, ?, ?, ?, ?) ON CONFLICT (lane, attempt_id) "
        "DO UPDATE SET state = excluded.state, decided_at = excluded.decided_at",
        (attempt_id, card_id, state.value, points, coins, decided_at),
    )
    lane.run_many(
        "INSERT INTO hold_lot VALUES (0, ?, ?, ?, ?)",
        [(attempt_id, pick, part.lot_id, part.amount) for pick, part in enumerate(parts)],
    )


def _unit_rows(event: Event, draft: Draft) -> list[_Row]:
    rows = []
    for change in draft.changes:
        card = f"{change.asset.value.lower()}:{event.card_id}"
        rows.append(_Row(card, change.asset, change.kind, change.units))
        rows.append(_Row(f"debt:{event.card_id}", change.asset, change.kind, change.owed))
        issued = -(change.units + change.owed)
        rows.append(_Row(ISSUED[change.asset], change.asset, change.kind, issued))
    return [row for row in rows if row.amount]


def _settlement_rows(draft: Draft) -> list[_Row]:
    return [
        _Row(
            leg.party, Asset.SETTLEMENT, leg.kind, leg.amount_minor, leg.points,
            leg.rule_version, leg.order_no,
        )
        for leg in draft.legs
    ]  # fmt: skip


def _entry_row(event: Event, leg: int, row: _Row) -> tuple[object, ...]:
    return (
        event.seq, leg, row.account, row.asset.value, row.kind, row.amount, row.points,
        event.month, row.rule_version, row.order_no,
    )  # fmt: skip


def _card_lines(
    event: Event, card_id: str, draft: Draft, accounts: Mapping[str, Account]
) -> list[tuple[object, ...]]:
    nothing = Account()
    points = accounts.get(f"points:{card_id}", nothing).posted
    points += accounts.get(f"debt:{card_id}", nothing).posted
    coins = accounts.get(f"coins:{card_id}", nothing).posted
    lines: list[tuple[object, ...]] = []
    for leg, change in enumerate(draft.changes):
        moved_points, moved_coins = _moved(change)
        points += moved_points
        coins += moved_coins
        line = (
            card_id, event.seq, leg, change.kind.value, event.at, moved_points, moved_coins,
            event.merchant_id, event.order_no, points, coins,
        )  # fmt: skip
        lines.append(line)
    return lines


def write_orders(lane: Lane, card_id: str | None, draft: Draft) -> None:
    """Writes the orders that changed, what they burned, and the debts they made."""
    lane.run_many(_ORDER, [_order_row(order) for order in draft.orders.values()])
    lane.run_many(_BURN, [_burn_row(burn) for burn in draft.burns])
    lane.run_many(
        _DEBT,
        [
            (debt.id, card_id, debt.order.order_id, debt.open, debt.open)
            for debt in draft.debts.values()
        ],
    )


def _moved(change: CardChange) -> tuple[int, int]:
    if change.asset is Asset.COINS:
        return 0, change.units
    return change.units + change.owed, 0


def _write_accounts(
    lane: Lane,
    card_id: str,
    draft: Draft,
    accounts: Mapping[str, Account],
    rows: Sequence[_Row],
) -> None:
    posted: dict[tuple[str, Asset], int] = {}
    for row in rows:
        if row.asset is not Asset.SETTLEMENT:
            key = row.account, row.asset
            posted[key] = posted.get(key, 0) + row.amount
    for asset in draft.held_delta:
        posted.setdefault((f"{asset.value.lower()}:{card_id}", asset), 0)
    nothing = Account()
    written = []
    for (name, asset), amount in posted.items():
        before = accounts.get(name, nothing)
        is_card = name == f"{asset.value.lower()}:{card_id}"
        held = draft.held_delta.get(asset, 0) if is_card else 0
        written.append(
            (name, asset.value, before.posted + amount, before.held + held, int(is_card))
        )
    lane.run_many(_ACCOUNT, written)


def _burn_row(burn: Burn) -> tuple[object, ...]:
    return (
        burn.order_id, burn.seq, burn.lot_id, burn.asset.value, burn.amount, burn.funding_minor,
        burn.returned,
    )  # fmt: skip


def _lot_row(card_id: str, lot: Lot) -> tuple[object, ...]:
    return (
        lot.id, card_id, lot.asset.value, lot.issuer_id, lot.funding_minor, residual_funding(lot),
        lot.original, lot.remaining, lot.held, lot.active_at, lot.expires_at, lot.order_id,
    )  # fmt: skip


def _order_row(order: OrderState) -> tuple[object, ...]:
    points, coins = order.points, order.coins
    return (
        order.order_id, order.order_no, order.merchant_id, order.card_id, order.rule_version,
        points.asked, points.burned, points.gross_minor, points.fee_minor, points.returned,
        points.restored, coins.asked, coins.burned, coins.gross_minor, coins.fee_minor,
        coins.returned, coins.restored, order.earned, order.issue_fee_minor, order.lot_id,
        order.reversed, order.recovered, order.coupon_minor, order.coupon_returned_minor,
    )  # fmt: skip
