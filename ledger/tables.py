"""The tables of the ledger, with the constraints and triggers that guard them.

`lane` leads every primary and unique key, and a transaction stays inside one lane. `lane_head` is
where each lane stands: every batch of writes locks its row first. Settlement rules and what the
whole ledger is called lie in lane 0. Instants are microseconds, months are year · 12 + month − 1.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from kernel.database.columns import forbid, partial_index
from kernel.requests import request_table

metadata = MetaData()


def _key(name: str, type_: type[Integer] | type[Text] = Integer) -> Column[Any]:
    return Column(name, type_, primary_key=True, nullable=False, autoincrement=False)


def _int(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Integer, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def _table(name: str, *items: Any) -> Table:
    lane = _key("lane")
    return Table(name, metadata, lane, *items, sqlite_strict=True, sqlite_with_rowid=False)


public_request = request_table(metadata)

ledger_info = _table("ledger_info", _text("ledger_id"), _int("created_at"), _int("lanes"))

lane_head = _table(
    "lane_head",
    _int("lanes"),
    _int("next_seq"),
    _int("next_lot_id"),
    _int("next_debt_id"),
    _int("last_created_at"),
    _int("closed_month", nullable=True),
    Column("hash", LargeBinary, nullable=True),
    CheckConstraint("0 <= lane AND lane < lanes", name="lane_head_lane_exists"),
    CheckConstraint(
        "next_seq > 0 AND next_lot_id > 0 AND next_debt_id > 0", name="lane_head_counts_up"
    ),
)

settlement_rule = _table(
    "settlement_rule",
    _key("version"),
    _text("rule_id"),
    _text("state"),
    _int("effective_from"),
    _text("issue_price"),
    _text("redeem_price"),
    _int("issue_fee_bps"),
    _int("redeem_fee_bps"),
    _int("breakage_issuer_bps"),
    _text("proposed_by"),
    _int("accepts_top_up"),
    _text("approved_by", nullable=True),
    _int("approved_at", nullable=True),
    UniqueConstraint("lane", "rule_id"),
    CheckConstraint("state IN ('DRAFT', 'APPROVED')"),
)

ledger_request = _table(
    "ledger_request",
    _key("operation", Text),
    _key("idem_key", Text),
    _text("request_hash"),
    _text("outcome"),
    _int("tx_seq", nullable=True),
    _text("receipt"),
    _int("created_at"),
    CheckConstraint("outcome IN ('OK', 'NOOP', 'REFUSED')"),
    CheckConstraint("(outcome = 'OK') = (tx_seq IS NOT NULL)"),
)

ledger_tx = _table(
    "ledger_tx",
    _key("seq"),
    _text("kind"),
    _text("card_id", nullable=True),
    _text("merchant_id", nullable=True),
    _text("order_no", nullable=True),
    _int("effective_at"),
    _int("created_at"),
    _int("month"),
    _int("origin_month", nullable=True),
    _text("reason", nullable=True),
    CheckConstraint("origin_month IS NULL OR origin_month < month"),
    Index("ledger_tx_month", "lane", "month", "seq"),
    partial_index("ledger_tx_late", "lane", "origin_month", where="origin_month IS NOT NULL"),
)

entry = _table(
    "entry",
    _key("seq"),
    _key("leg"),
    _text("account"),
    _text("asset"),
    _text("kind"),
    _int("amount"),
    _int("points"),
    _int("month"),
    _int("rule_version", nullable=True),
    _text("order_no", nullable=True),
    CheckConstraint("amount <> 0 OR points <> 0"),
    CheckConstraint("asset IN ('POINTS', 'COINS', 'SETTLEMENT')"),
    partial_index(
        "entry_statement",
        "lane",
        "account",
        "month",
        "seq",
        "leg",
        where="asset = 'SETTLEMENT'",
    ),
)

account = _table(
    "account",
    _key("account", Text),
    _text("asset"),
    _int("posted"),
    _int("held"),
    _int("has_floor"),
    CheckConstraint("has_floor = 0 OR (held >= 0 AND posted >= held)"),
)

position = _table(
    "position",
    _key("month"),
    _key("account", Text),
    _key("kind", Text),
    _int("amount"),
    _int("points"),
    _int("entries"),
    Index("position_account", "lane", "account", "month"),
)

block = _table("block", _key("seq"), Column("hash", LargeBinary, nullable=False))

lot = _table(
    "lot",
    _key("id"),
    _text("card_id"),
    _text("asset"),
    _text("issuer_id"),
    _int("funding"),
    _int("residual"),
    _int("original"),
    _int("remaining"),
    _int("held"),
    _int("active_at"),
    _int("expires_at"),
    _text("order_id", nullable=True),
    CheckConstraint("0 <= held AND held <= remaining AND remaining <= original AND original > 0"),
    CheckConstraint("0 <= residual AND residual <= funding"),
    partial_index(
        "lot_fifo",
        "lane",
        "card_id",
        "asset",
        "expires_at",
        "id",
        where="remaining > 0",
    ),
    partial_index("lot_due", "lane", "expires_at", "card_id", "id", where="remaining > held"),
)

lot_move = _table(
    "lot_move",
    _key("seq"),
    _key("leg"),
    _int("lot_id"),
    _int("amount"),
    _int("funding"),
    _int("month"),
    CheckConstraint("amount <> 0"),
    Index("lot_move_lot", "lane", "lot_id", "amount", "funding"),
    Index("lot_move_month", "lane", "month", "funding"),
)

hold = _table(
    "hold",
    _key("attempt_id", Text),
    _text("card_id"),
    _text("state"),
    _int("points"),
    _int("coins"),
    _int("decided_at", nullable=True),
    CheckConstraint("state IN ('HELD', 'CAPTURED', 'RELEASED')"),
    CheckConstraint("(state = 'HELD') = (decided_at IS NULL)"),
    partial_index("hold_of_card", "lane", "card_id", where="state = 'HELD'"),
)

hold_lot = _table(
    "hold_lot",
    _key("attempt_id", Text),
    _key("pick"),
    _int("lot_id"),
    _int("amount"),
    CheckConstraint("amount > 0"),
)

order_state = _table(
    "order_state",
    _key("order_id", Text),
    _text("order_no"),
    _text("merchant_id"),
    _text("card_id", nullable=True),
    _int("rule_version"),
    _int("points_asked"),
    _int("points_burned"),
    _int("points_gross"),
    _int("points_fee"),
    _int("points_returned"),
    _int("points_restored"),
    _int("coins_asked"),
    _int("coins_burned"),
    _int("coins_gross"),
    _int("coins_fee"),
    _int("coins_returned"),
    _int("coins_restored"),
    _int("earned"),
    _int("issue_fee"),
    _int("lot_id", nullable=True),
    _int("reversed"),
    _int("recovered"),
    _int("coupon"),
    _int("coupon_returned"),
    CheckConstraint("0 <= points_restored AND points_restored <= points_burned"),
    CheckConstraint("0 <= coins_restored AND coins_restored <= coins_burned"),
    CheckConstraint("0 <= recovered AND recovered <= reversed AND reversed <= earned"),
    CheckConstraint("0 <= coupon_returned AND coupon_returned <= coupon"),
)

burn = _table(
    "burn",
    _key("order_id", Text),
    _key("part"),
    _int("lot_id"),
    _text("asset"),
    _int("amount"),
    _int("funding"),
    _int("returned"),
    CheckConstraint("0 <= returned AND returned <= amount"),
)

debt = _table(
    "debt",
    _key("id"),
    _text("card_id"),
    _text("order_id"),
    _int("owed"),
    _int("open"),
    CheckConstraint("0 <= open AND open <= owed"),
    partial_index("debt_open", "lane", "card_id", "id", where="open > 0"),
)

# Which cards were made one, each merge from both sides. A card of a family is never alone again.
card_alias = _table(
    "card_alias",
    _key("card_id", Text),
    _key("merge_id", Text),
    _text("other_id"),
    _int("is_survivor"),
    _int("is_undone"),
    CheckConstraint("card_id <> other_id", name="card_alias_other"),
    CheckConstraint("is_survivor IN (0, 1)", name="card_alias_side"),
    CheckConstraint("is_undone IN (0, 1)", name="card_alias_undone"),
)

# What each merge gave the survivor, in the survivor's lane: LOT or DEBT by id, as it was then.
merged_part = _table(
    "merged_part",
    _key("merge_id", Text),
    _key("kind", Text),
    _key("ref"),
    _int("amount"),
    CheckConstraint("kind IN ('LOT', 'DEBT')", name="merged_part_kind"),
)

card_entry = _table(
    "card_entry",
    _key("card_id", Text),
    _key("seq"),
    _key("leg"),
    _text("kind"),
    _int("at"),
    _int("points"),
    _int("coins"),
    _text("merchant_id", nullable=True),
    _text("order_no", nullable=True),
    _int("points_after"),
    _int("coins_after"),
)

period = _table(
    "period",
    _key("month"),
    _int("closed_at"),
    _text("journal_hash"),
    _int("pool_opening"),
    _int("pool_closing"),
    _int("backing"),
    _int("alliance"),
)

FOREVER = (
    "entry",
    "lot_move",
    "ledger_tx",
    "card_entry",
    "period",
    "burn",
    "ledger_info",
    "settlement_rule",
    "block",
)
"""Tables whose rows are never deleted, and but for `burn` and drafts of rules never changed."""


_CLOSED = "NEW.month <= (SELECT closed_month FROM lane_head WHERE lane = NEW.lane)"
_REOPENED = (
    "OLD.closed_month IS NOT NULL "
    "AND (NEW.closed_month IS NULL OR NEW.closed_month < OLD.closed_month)"
)

for _name in FOREVER:
    for _action in ("DELETE",) if _name in ("burn", "settlement_rule") else ("DELETE", "UPDATE"):
        forbid(metadata, _name, _action, message=f"{_name} rows are for ever")
forbid(
    metadata, "settlement_rule", "UPDATE", when="OLD.state = 'APPROVED'",
    message="approved rules are for ever",
)  # fmt: skip
for _name in ("ledger_tx", "entry", "lot_move", "position"):
    for _action in ("INSERT", "UPDATE") if _name == "position" else ("INSERT",):
        forbid(metadata, _name, _action, when=_CLOSED, message="the period is closed")
forbid(metadata, "position", "DELETE", message="position rows are for ever")
forbid(
    metadata, "position", "UPDATE", when="OLD.month <> NEW.month", name="position_stays",
    message="a position stays in its period",
)  # fmt: skip
forbid(metadata, "lane_head", "UPDATE", when=_REOPENED, message="a closed period stays closed")
