"""States of templates, and coupons withdrawn.

Source: docs/rules/coupons.md, rules 15, 16 and 21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.refusals import InvalidInput, NotFound
from kernel.text import is_title
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.forgetting import void_forgotten
from merchants.coupons.template_life import CouponTemplateState, may_follow
from merchants.coupons.templates import CouponState
from merchants.coupons.templates_sql import Template, write_template_state
from merchants.coupons.unearned import void_unearned
from merchants.coupons.voiding_sql import (
    TierCoupon,
    forget_occasion,
    read_free_of_tier,
    read_tier_coupons,
    void_coupon,
)
from merchants.ladders.standings import ranks_of
from merchants.refusals import CouponNotFree, TemplateStateUnreachable

VOID_MAX = 100
REASON_MAX = 200
TIER_LOST = "The tier that gave it was lost."


def set_template_state(
    connection: Connection, template: Template, state: CouponTemplateState
) -> None:
    """The template in that state. Asking for the state that it has changes nothing.

    Raises:
        TemplateStateUnreachable: it can not go there from where it is.
    """
    if template.state is state:
        return
    allowed = may_follow(template.state, state)
    if not allowed or not write_template_state(connection, template, state):
        raise TemplateStateUnreachable(template.state)


def void_coupons(
    connection: Connection, *, merchant_id: str, coupon_ids: Sequence[str], reason: str
) -> None:
    """The coupons withdrawn, with a reason for people; all or none.

    One that is void already stays so, with its first reason.

    Raises:
        InvalidInput: none, too many or one twice, or no reason.
        NotFound: the merchant has no such coupon.
        CouponNotFree: one is in use, used, or passed on.
    """
    problems = []
    if not 1 <= len(coupon_ids) <= VOID_MAX:
        problems.append(["couponIds", f"must name 1 to {VOID_MAX} coupons"])
    elif len(set(coupon_ids)) < len(coupon_ids):
        problems.append(["couponIds", "must name each coupon once"])
    if not is_title(reason, longest=REASON_MAX):
        problems.append(
            ["reason", f"must have 1 to {REASON_MAX} characters and no control character"]
        )
    if problems:
        raise InvalidInput(problems)
    held = read_coupons(connection, [(merchant_id, each) for each in coupon_ids])
    for coupon_id in coupon_ids:
        coupon = held.get((merchant_id, coupon_id))
        if coupon is None:
            raise NotFound(coupon_id)
        if coupon.state is CouponState.VOID:
            continue
        if not void_coupon(connection, merchant_id=merchant_id, coupon_id=coupon_id, reason=reason):
            raise CouponNotFree(coupon_id, merchant_id)


def void_tier_coupons(
    connection: Connection, *, merchant_id: str, card_id: str, ladder: str, rank: int
) -> list[str]:
    """Withdraws unused coupons of tiers that the card no longer has; tells which.

    Coupons that are used, or held by a checkout, stay until they come back. Reaching the tier
    again gives them again.

    Args:
        ladder: in which the card lost a tier.
        rank: its rank there now; 0 below the first step.

    Source: docs/rules/coupons.md, rule 21.
    """
    return [
        coupon.coupon_id
        for coupon in read_tier_coupons(connection, merchant_id=merchant_id, card_id=card_id)
        if _void_above(connection, merchant_id, coupon, {ladder: rank})
    ]


def void_freed(
    connection: Connection,
    merchant_id: str,
    coupon_ids: Sequence[str],
    *,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """Withdraws coupons that just came back, where tier, member or goods were lost meanwhile.

    Source: docs/rules/coupons.md, rule 21; docs/rules/identity.md, rule 16.
    """
    void_forgotten(connection, merchant_id, coupon_ids)
    void_unearned(connection, merchant_id, coupon_ids)
    for coupon_id in coupon_ids:
        found = read_free_of_tier(connection, merchant_id=merchant_id, coupon_id=coupon_id)
        if found is not None:
            card_id, coupon = found
            key = (merchant_id, card_id)
            ranks = ranks_of(connection, [key], now=now, zone=zone)[key]
            _void_above(connection, merchant_id, coupon, ranks)


def _void_above(
    connection: Connection, merchant_id: str, coupon: TierCoupon, ranks: Mapping[str, int]
) -> bool:
    """Whether the coupon is of a tier above these ranks, by ladder, and is withdrawn now."""
    audience = coupon.draft.life.audience
    if audience is None or audience.ladder is None or audience.ladder not in ranks:
        return False
    if (audience.min_rank or 0) <= ranks[audience.ladder]:
        return False
    key = {"merchant_id": merchant_id, "coupon_id": coupon.coupon_id}
    is_void = void_coupon(connection, **key, reason=TIER_LOST)
    if is_void:
        forget_occasion(connection, **key)
    return is_void
