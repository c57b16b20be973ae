"""SQL of what templates may cost: taken and given back with the coupon. The caller owns the
transaction.

Source: docs/rules/coupons.md, rule 19.
"""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.template_life import face_minor
from merchants.stored import load, terms_from_json

_TEMPLATE = Prepared(
    "SELECT t.template_id, t.budget_minor, t.draft FROM coupon AS c JOIN coupon_template AS t"
    " ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
    " WHERE c.merchant_id = :merchant_id AND c.coupon_id = :coupon_id"
)
_SPEND = Prepared(
    "UPDATE coupon_template SET spent_minor = spent_minor + :cost_minor"
    " WHERE merchant_id = :merchant_id AND template_id = :template_id"
    " AND spent_minor + :cost_minor <= budget_minor"
)
_COST = Prepared(
    "SELECT cost_minor FROM coupon_use WHERE merchant_id = :merchant_id"
    " AND coupon_id = :coupon_id AND attempt_id = :attempt_id"
)
_NO_COST = Prepared(
    "UPDATE coupon_use SET cost_minor = 0 WHERE merchant_id = :merchant_id"
    " AND coupon_id = :coupon_id AND attempt_id = :attempt_id"
)


def spend_budget(
    connection: Connection, *, merchant_id: str, coupon_id: str, cost_minor: int | None
) -> int | None:
    """What counts as spent for the coupon now; None when its template's budget does not cover it.

    Args:
        cost_minor: what the coupon takes off; negative gives back; None counts the most that it
            can take off.

    Returns:
        0 for a template without a budget, which covers everything.
    """
    key = {"merchant_id": merchant_id, "coupon_id": coupon_id}
    template = connection.execute(_TEMPLATE, key).one_or_none()
    if template is None or template.budget_minor is None:
        return 0
    if cost_minor is None:
        cost_minor = face_minor(terms_from_json(load(template.draft))) or 0
    spent = connection.execute(
        _SPEND,
        {
            "merchant_id": merchant_id,
            "template_id": template.template_id,
            "cost_minor": cost_minor,
        },
    )
    return cost_minor if spent.rowcount == 1 else None


def read_cost(
    connection: Connection, *, merchant_id: str, coupon_id: str, attempt_id: str
) -> int | None:
    """What the attempt took for the coupon; None when it never had it."""
    key = {"merchant_id": merchant_id, "coupon_id": coupon_id, "attempt_id": attempt_id}
    cost: int | None = connection.execute(_COST, key).scalar()
    return cost


def give_back_cost(
    connection: Connection, *, merchant_id: str, coupon_id: str, attempt_id: str
) -> None:
    """Gives what the attempt took for the coupon back to the template's budget."""
    key = {"merchant_id": merchant_id, "coupon_id": coupon_id}
    cost = read_cost(connection, attempt_id=attempt_id, **key)
    if cost:
        spend_budget(connection, cost_minor=-cost, **key)
        connection.execute(_NO_COST, {**key, "attempt_id": attempt_id})
