"""SQL of coupon templates. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.template_life import CouponTrigger
from merchants.coupons.templates import CouponTemplateState, TemplateDraft
from merchants.stored import draft_as_json, draft_from_json, dump, load

_COLUMNS = "merchant_id, template_id, state, draft, issued, spent_minor, created_at"
_INSERT = Prepared(
    "INSERT INTO coupon_template (merchant_id, template_id, state, kind, draft, issued,"
    " quota_total, quota_per_member, for_new_members, trigger_kind, budget_minor, spent_minor,"
    " created_at) VALUES (:merchant_id, :template_id, :state, :kind, :draft, 0, :quota_total,"
    " :quota_per_member, :for_new_members, :trigger_kind, :budget_minor, 0, :created_at)"
)
_ONE = Prepared(
    f"SELECT {_COLUMNS} FROM coupon_template"
    " WHERE merchant_id = :merchant_id AND template_id = :template_id"
)
_FOR_NEW_MEMBERS = Prepared(
    f"SELECT {_COLUMNS} FROM coupon_template WHERE merchant_id = :merchant_id"
    " AND for_new_members = 1 AND state = 'ACTIVE' ORDER BY created_at, template_id LIMIT 20"
)
_COUNT_ISSUED = Prepared(
    "UPDATE coupon_template SET issued = issued + :count"
    " WHERE merchant_id = :merchant_id AND template_id = :template_id"
    " AND state = 'ACTIVE' AND (quota_total IS NULL OR issued + :count <= quota_total)"
)
_TRIGGERED = Prepared(
    f"SELECT {_COLUMNS} FROM coupon_template WHERE merchant_id = :merchant_id"
    " AND trigger_kind = :trigger_kind AND state = 'ACTIVE' ORDER BY created_at, template_id"
    " LIMIT 20"
)
_SET_STATE = Prepared(
    "UPDATE coupon_template SET state = :state WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND state = :was"
)
_PAGE = Prepared(
    f"SELECT {_COLUMNS} FROM coupon_template WHERE merchant_id = :merchant_id"
    " AND (created_at, template_id) < (:created_at, :template_id)"
    " ORDER BY created_at DESC, template_id DESC LIMIT :limit"
)
_PER_CARD = Prepared(
    "SELECT card_id, COUNT(*) FROM coupon WHERE merchant_id = :merchant_id"
    " AND template_id = :template_id AND card_id IN :card_ids AND state <> 'VOID'"
    " GROUP BY card_id",
    lists=("card_ids",),
)
_MEDIAN_BASKET = Prepared(
    "WITH recent AS (SELECT list_minor FROM sale WHERE merchant_id = :merchant_id"
    " ORDER BY placed_at DESC, order_id DESC LIMIT 1001)"
    " SELECT list_minor FROM recent ORDER BY list_minor LIMIT 1"
    " OFFSET (SELECT COUNT(*) FROM recent) / 2"
)


@dataclass(frozen=True, slots=True)
class Template:
    """A coupon template as it is kept; `created_at` in microseconds."""

    merchant_id: str
    template_id: str
    state: CouponTemplateState
    draft: TemplateDraft
    issued: int
    spent_minor: int
    created_at: int


def insert_template(
    connection: Connection,
    draft: TemplateDraft,
    *,
    merchant_id: str,
    template_id: str,
    created_at: int,
) -> None:
    """Keeps a new template: ACTIVE, unless it is a draft."""
    life = draft.life
    connection.execute(
        _INSERT,
        {
            "merchant_id": merchant_id,
            "template_id": template_id,
            "state": CouponTemplateState.DRAFT if life.is_draft else CouponTemplateState.ACTIVE,
            "kind": draft.terms.kind,
            "draft": dump(draft_as_json(draft)),
            "quota_total": draft.quota_total,
            "quota_per_member": draft.quota_per_member,
            "for_new_members": int(draft.for_new_members),
            "trigger_kind": life.trigger,
            "budget_minor": life.budget_minor,
            "created_at": created_at,
        },
    )


def read_template(connection: Connection, *, merchant_id: str, template_id: str) -> Template | None:
    """The template; None when the merchant has no such one."""
    row = connection.execute(
        _ONE, {"merchant_id": merchant_id, "template_id": template_id}
    ).one_or_none()
    return None if row is None else _template(row)


def read_newcomer_templates(connection: Connection, merchant_id: str) -> list[Template]:
    """Up to 20 active templates that are given on joining, oldest first."""
    return [
        _template(row) for row in connection.execute(_FOR_NEW_MEMBERS, {"merchant_id": merchant_id})
    ]


def read_template_page(
    connection: Connection, merchant_id: str, *, after: tuple[int, str] | None, limit: int
) -> list[Template]:
    """Templates newest first, behind `after` (created_at, template_id)."""
    created_at, template_id = after or (2**62, "")
    rows = connection.execute(
        _PAGE,
        {
            "merchant_id": merchant_id,
            "created_at": created_at,
            "template_id": template_id,
            "limit": limit,
        },
    )
    return [_template(row) for row in rows]


def read_triggered_templates(
    connection: Connection, merchant_id: str, trigger: CouponTrigger
) -> list[Template]:
    """Up to 20 active templates of a trigger, oldest first."""
    rows = connection.execute(_TRIGGERED, {"merchant_id": merchant_id, "trigger_kind": trigger})
    return [_template(row) for row in rows]


def write_template_state(
    connection: Connection, template: Template, state: CouponTemplateState
) -> bool:
    """Whether the template was still in the state that was read, and is in the other now."""
    values = {
        "merchant_id": template.merchant_id,
        "template_id": template.template_id,
        "was": template.state,
        "state": state,
    }
    return connection.execute(_SET_STATE, values).rowcount == 1


def count_issued(connection: Connection, *, merchant_id: str, template_id: str, count: int) -> bool:
    """Whether the quota had room for so many more, which count as issued now.

    Until the transaction ends nobody else issues from the template: what is read of it after
    this call is exact.
    """
    values = {"merchant_id": merchant_id, "template_id": template_id, "count": count}
    return connection.execute(_COUNT_ISSUED, values).rowcount == 1


def read_issued_per_card(
    connection: Connection, *, merchant_id: str, template_id: str, card_ids: Sequence[str]
) -> dict[str, int]:
    """How many coupons of the template each card was given; cards without one are left out."""
    rows: Any = connection.execute(
        _PER_CARD,
        {"merchant_id": merchant_id, "template_id": template_id, "card_ids": list(card_ids)},
    )
    return {row[0]: row[1] for row in rows}


def read_median_basket(connection: Connection, merchant_id: str) -> int | None:
    """Median list price of the merchant's last 1001 orders; None when it has none."""
    median: int | None = connection.execute(_MEDIAN_BASKET, {"merchant_id": merchant_id}).scalar()
    return median


def _template(row: Any) -> Template:
    return Template(
        merchant_id=row.merchant_id,
        template_id=row.template_id,
        state=CouponTemplateState(row.state),
        draft=draft_from_json(load(row.draft)),
        issued=row.issued,
        spent_minor=row.spent_minor,
        created_at=row.created_at,
    )
