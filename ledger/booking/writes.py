"""The rows that a batch writes, by table, each changed row once. No I/O but through the port."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger import tables
from ledger.stores.port import Port, Row, Write

_LOT_CHANGED = ("residual", "remaining", "held")
_ORDER_CHANGED = (
    "points_returned", "points_restored", "coins_returned", "coins_restored", "reversed",
    "recovered", "coupon_returned",
)  # fmt: skip


def _columns(table: object) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)[1:]  # type: ignore[attr-defined]


def _insert(table: object) -> Write:
    return Write(table, _columns(table))  # type: ignore[arg-type]


def _update(table: object, sets: tuple[str, ...], keys: tuple[str, ...]) -> Write:
    return Write(table, sets + keys, keys=keys, sets=sets, is_update=True)  # type: ignore[arg-type]


HEAD = _update(
    tables.lane_head,
    ("next_seq", "next_lot_id", "next_debt_id", "last_created_at", "closed_month", "hash"),
    (),
)
TX = _insert(tables.ledger_tx)
ENTRY = _insert(tables.entry)
LOT_MOVE = _insert(tables.lot_move)
BLOCK = _insert(tables.block)
CARD_ENTRY = _insert(tables.card_entry)
REQUEST = _insert(tables.ledger_request)
HOLD_LOT = _insert(tables.hold_lot)
LOT = _insert(tables.lot)
LOT_UPDATE = _update(tables.lot, _LOT_CHANGED, ("id",))
ACCOUNT = _insert(tables.account)
ACCOUNT_UPDATE = _update(tables.account, ("posted", "held"), ("account",))
ORDER = _insert(tables.order_state)
ORDER_UPDATE = _update(tables.order_state, _ORDER_CHANGED, ("order_id",))
BURN = _insert(tables.burn)
BURN_UPDATE = _update(tables.burn, ("returned",), ("order_id", "part"))
DEBT = _insert(tables.debt)
DEBT_UPDATE = _update(tables.debt, ("open",), ("id",))
ALIAS = _insert(tables.card_alias)
ALIAS_UPDATE = _update(tables.card_alias, ("is_undone",), ("card_id", "merge_id"))
MERGED_PART = _insert(tables.merged_part)
HOLD = _insert(tables.hold)
HOLD_UPDATE = _update(tables.hold, ("state", "decided_at"), ("attempt_id",))
POSITION = Write(
    tables.position,
    _columns(tables.position),
    keys=("month", "account", "kind"),
    adds=("amount", "points", "entries"),
)


@dataclass(slots=True)
class Sheets:
    """What a batch writes.

    New rows of things that change later are kept by their key with the rows they will be, so
    that a lot that is made and spent by one batch is written once.
    """

    heads: list[Row] = field(default_factory=list)
    txs: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    moves: list[Row] = field(default_factory=list)
    card_entries: list[Row] = field(default_factory=list)
    requests: list[Row] = field(default_factory=list)
    hold_lots: list[Row] = field(default_factory=list)
    blocks: list[Row] = field(default_factory=list)
    new_lots: dict[int, Row] = field(default_factory=dict)
    lots: dict[int, Row] = field(default_factory=dict)
    new_accounts: dict[str, Row] = field(default_factory=dict)
    accounts: dict[str, Row] = field(default_factory=dict)
    new_orders: dict[str, Row] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    new_burns: dict[tuple[str, int], Row] = field(default_factory=dict)
    burns: dict[tuple[str, int], Row] = field(default_factory=dict)
    new_debts: dict[int, Row] = field(default_factory=dict)
    debts: dict[int, Row] = field(default_factory=dict)
    new_holds: dict[str, Row] = field(default_factory=dict)
    holds: dict[str, Row] = field(default_factory=dict)
    positions: dict[tuple[int, str, str], list[int]] = field(default_factory=dict)

    def write(self, port: Port) -> None:
        """Writes every row, rows of one table in the order of their key where that is cheap."""
        port.write_all(
            [
                (HEAD, self.heads),
                (TX, self.txs),
                (ENTRY, self.entries),
                (LOT_MOVE, self.moves),
                (BLOCK, self.blocks),
                (CARD_ENTRY, self.card_entries),
                (REQUEST, self.requests),
                (HOLD_LOT, self.hold_lots),
                (LOT, list(self.new_lots.values())),
                (LOT_UPDATE, list(self.lots.values())),
                (ACCOUNT, list(self.new_accounts.values())),
                (ACCOUNT_UPDATE, list(self.accounts.values())),
                (ORDER, list(self.new_orders.values())),
                (ORDER_UPDATE, list(self.orders.values())),
                (BURN, list(self.new_burns.values())),
                (BURN_UPDATE, list(self.burns.values())),
                (DEBT, list(self.new_debts.values())),
                (DEBT_UPDATE, list(self.debts.values())),
                (HOLD, list(self.new_holds.values())),
                (HOLD_UPDATE, list(self.holds.values())),
                (POSITION, [(*key, *sums) for key, sums in self.positions.items()]),
            ]
        )
