"""SQL of withdrawing coupons. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.templates import TemplateDraft
from merchants.stored import draft_from_json, load

_VOID = Prepared(
    "UPDATE coupon SET state = 'VOID', void_reason = :reason, share_until = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id"
    " AND (state = 'ISSUED' OR share_until IS NOT NULL)"
)
# What a friend passed on is the holder's own: no tier of the holder gave it.
_OF_TIERS = Prepared(
    "SELECT c.coupon_id, t.draft FROM coupon AS c JOIN coupon_template AS t"
    " ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
    " WHERE c.merchant_id = :merchant_id AND c.card_id = :card_id AND c.passed_from IS NULL"
    " AND (c.state = 'ISSUED' OR c.share_until IS NOT NULL) AND t.trigger_kind = 'TIER_REACHED'"
    " ORDER BY c.coupon_id"
)
_FREE_OF_TIER = Prepared(
    "SELECT c.coupon_id, c.card_id, t.draft FROM coupon AS c JOIN coupon_template AS t"
    " ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
    " WHERE c.merchant_id = :merchant_id AND c.coupon_id = :coupon_id AND c.passed_from IS NULL"
    " AND c.state = 'ISSUED' AND t.trigger_kind = 'TIER_REACHED'"
)
_FORGET = Prepared(
    "DELETE FROM coupon_occasion WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id"
)

# One that would only begin later still begins before it ends, as every coupon does.
_END = Prepared(
    "UPDATE coupon SET valid_until ="
    " CASE WHEN valid_from < :ends_at THEN :ends_at ELSE valid_from + 1 END"
    " WHERE merchant_id = :merchant_id AND valid_until > :ends_at"
)


@dataclass(frozen=True, slots=True)
class TierCoupon:
    """An unused coupon that reaching a tier gave."""

    coupon_id: str
    draft: TemplateDraft


def end_coupons(connection: Connection, merchant_id: str, *, ends_at: int) -> None:
    """Lets every coupon of the merchant end then at the latest; microseconds.

    Source: docs/rules/merchants.md, rule 8.
    """
    connection.execute(_END, {"merchant_id": merchant_id, "ends_at": ends_at})


def void_coupon(connection: Connection, *, merchant_id: str, coupon_id: str, reason: str) -> bool:
    """Whether nobody was using the coupon, and it is withdrawn now."""
    values = {"merchant_id": merchant_id, "coupon_id": coupon_id, "reason": reason}
    return connection.execute(_VOID, values).rowcount == 1


def read_tier_coupons(
    connection: Connection, *, merchant_id: str, card_id: str
) -> list[TierCoupon]:
    """Unused coupons of the card that its tiers gave."""
    rows = connection.execute(_OF_TIERS, {"merchant_id": merchant_id, "card_id": card_id})
    return [TierCoupon(row.coupon_id, draft_from_json(load(row.draft))) for row in rows]


def read_free_of_tier(
    connection: Connection, *, merchant_id: str, coupon_id: str
) -> tuple[str, TierCoupon] | None:
    """The card and the coupon, when it is unused and a tier gave it."""
    values = {"merchant_id": merchant_id, "coupon_id": coupon_id}
    row = connection.execute(_FREE_OF_TIER, values).one_or_none()
    if row is None:
        return None
    return row.card_id, TierCoupon(row.coupon_id, draft_from_json(load(row.draft)))


def forget_occasion(connection: Connection, *, merchant_id: str, coupon_id: str) -> None:
    """Lets the occasion of a coupon give one again."""
    connection.execute(_FORGET, {"merchant_id": merchant_id, "coupon_id": coupon_id})
