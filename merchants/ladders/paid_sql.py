"""SQL of paid plans and of the memberships bought. The caller owns the transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.ladders.paid import PaidMembership, PaidPlan
from merchants.stored import benefits_as_json, benefits_from_json, dump, load

_SET = Prepared(
    "INSERT INTO paid_plan (merchant_id, code, version, plan) VALUES (:merchant_id, :code,"
    " :version, :plan) ON CONFLICT (merchant_id, code) DO UPDATE SET version = excluded.version,"
    " plan = excluded.plan"
)
_PLANS = Prepared(
    "SELECT code, version, plan FROM paid_plan WHERE merchant_id = :merchant_id ORDER BY code"
)
_COLUMNS = (
    "merchant_id, paid_id, card_id, reference, code, version, plan, starts_at, ends_at,"
    " refunded_at, refunded_minor"
)
_BUY = Prepared(
    f"INSERT INTO paid_membership ({_COLUMNS}, bought_by) VALUES (:merchant_id, :paid_id, :card_id,"
    " :reference, :code, :version, :plan, :starts_at, :ends_at, NULL, NULL, :card_id)"
)
_ONE = Prepared(
    f"SELECT {_COLUMNS} FROM paid_membership WHERE merchant_id = :merchant_id"
    " AND paid_id = :paid_id"
)
_BY_REFERENCE = Prepared(
    f"SELECT {_COLUMNS} FROM paid_membership WHERE merchant_id = :merchant_id"
    " AND reference = :reference"
)
_OF_CARDS = Prepared(
    "SELECT p.merchant_id, p.paid_id, p.card_id, p.reference, p.code, p.version, p.plan,"
    f" p.starts_at, p.ends_at, p.refunded_at, p.refunded_minor FROM {EACH_KEY}"
    f" paid_membership AS p WHERE {matches('p.merchant_id', 'p.card_id')}"
    " ORDER BY p.merchant_id, p.card_id, p.starts_at DESC, p.paid_id"
)
_REFUND = Prepared(
    "UPDATE paid_membership SET refunded_at = :refunded_at, refunded_minor = :refunded_minor"
    " WHERE merchant_id = :merchant_id AND paid_id = :paid_id AND refunded_at IS NULL"
)

_REWRITE = Prepared(
    "UPDATE paid_membership SET starts_at = :starts_at, ends_at = :ends_at,"
    " refunded_at = :refunded_at, refunded_minor = :refunded_minor"
    " WHERE merchant_id = :merchant_id AND paid_id = :paid_id"
)


def write_plan(connection: Connection, merchant_id: str, plan: PaidPlan) -> None:
    """Keeps the plan as it is from now on; what was bought keeps its terms."""
    values = {"merchant_id": merchant_id, "code": plan.code, "version": plan.version}
    connection.execute(_SET, {**values, "plan": dump(_as_json(plan))})


def read_plans(connection: Connection, merchant_id: str) -> list[PaidPlan]:
    """The merchant's plans, by code."""
    return [_plan(row) for row in connection.execute(_PLANS, {"merchant_id": merchant_id})]


def insert_paid(connection: Connection, bought: PaidMembership, *, reference: str) -> None:
    """Keeps what a card bought."""
    connection.execute(
        _BUY,
        {
            "merchant_id": bought.merchant_id,
            "paid_id": bought.id,
            "card_id": bought.card_id,
            "reference": reference,
            "code": bought.plan.code,
            "version": bought.plan.version,
            "plan": dump(_as_json(bought.plan)),
            "starts_at": to_micros(bought.starts_at),
            "ends_at": to_micros(bought.ends_at),
        },
    )


def read_paid(connection: Connection, *, merchant_id: str, paid_id: str) -> PaidMembership | None:
    """One paid membership."""
    row = connection.execute(_ONE, {"merchant_id": merchant_id, "paid_id": paid_id}).one_or_none()
    return None if row is None else _bought(row)


def read_paid_by_reference(
    connection: Connection, *, merchant_id: str, reference: str
) -> PaidMembership | None:
    """The paid membership that the merchant knows by that number."""
    row = connection.execute(
        _BY_REFERENCE, {"merchant_id": merchant_id, "reference": reference}
    ).one_or_none()
    return None if row is None else _bought(row)


def read_paid_of(
    connection: Connection, keys: Sequence[Key]
) -> dict[Key, tuple[PaidMembership, ...]]:
    """What each card bought, the latest first; cards that bought nothing are left out."""
    found: dict[Key, list[PaidMembership]] = defaultdict(list)
    for row in connection.execute(_OF_CARDS, {"keys": keys_parameter(keys)}):
        found[row.merchant_id, row.card_id].append(_bought(row))
    return {key: tuple(rows) for key, rows in found.items()}


def write_paid_refund(
    connection: Connection, bought: PaidMembership, *, refunded_at: int, refunded_minor: int
) -> None:
    """Ends it."""
    key = {"merchant_id": bought.merchant_id, "paid_id": bought.id}
    connection.execute(
        _REFUND, {**key, "refunded_at": refunded_at, "refunded_minor": refunded_minor}
    )


def rewrite_paid(connection: Connection, bought: PaidMembership) -> None:
    """Gives it other instants, or a refund, or takes a refund from it."""
    refunded_at = bought.refunded_at
    connection.execute(
        _REWRITE,
        {
            "merchant_id": bought.merchant_id,
            "paid_id": bought.id,
            "starts_at": to_micros(bought.starts_at),
            "ends_at": to_micros(bought.ends_at),
            "refunded_at": None if refunded_at is None else to_micros(refunded_at),
            "refunded_minor": bought.refunded_minor,
        },
    )


def _as_json(plan: PaidPlan) -> dict[str, Any]:
    return {
        "title": plan.title,
        "titleEn": plan.title_en,
        "price": plan.price_minor,
        "months": plan.months,
        "graceDays": plan.grace_days,
        "rank": plan.rank,
        "benefits": benefits_as_json(plan.benefits),
        "isActive": plan.is_active,
    }


def _plan(row: Any) -> PaidPlan:
    stored = load(row.plan)
    return PaidPlan(
        code=row.code,
        version=row.version,
        title=stored["title"],
        title_en=stored["titleEn"],
        price_minor=stored["price"],
        months=stored["months"],
        grace_days=stored["graceDays"],
        rank=stored["rank"],
        benefits=benefits_from_json(stored["benefits"]),
        is_active=stored["isActive"],
    )


def _bought(row: Any) -> PaidMembership:
    return PaidMembership(
        id=row.paid_id,
        merchant_id=row.merchant_id,
        card_id=row.card_id,
        plan=_plan(row),
        starts_at=from_micros(row.starts_at),
        ends_at=from_micros(row.ends_at),
        refunded_at=None if row.refunded_at is None else from_micros(row.refunded_at),
        refunded_minor=row.refunded_minor,
    )
