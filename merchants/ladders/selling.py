"""Books paid memberships: sold, renewed, refunded.

Source: docs/rules/paid-memberships.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.refusals import InvalidInput, NotFound
from merchants.coupons.issuing import require_active
from merchants.ladders.growth import REFERENCE_MAX
from merchants.ladders.held_sql import write_floor
from merchants.ladders.paid import (
    PLANS_MAX,
    PaidMembership,
    PaidPlan,
    PaidState,
    moved_up,
    paid_until,
    plan_problems,
    pro_rata_minor,
)
from merchants.ladders.paid_sql import (
    insert_paid,
    read_paid,
    read_paid_by_reference,
    read_paid_of,
    read_plans,
    rewrite_paid,
    write_paid_refund,
    write_plan,
)
from merchants.refusals import NotAMember, PaidMembershipOver
from merchants.registry_sql import read_member_cards


def set_plan(connection: Connection, merchant_id: str, wanted: PaidPlan) -> PaidPlan:
    """The plan's new version.

    Raises:
        InvalidInput: the plan has faults, or the merchant has its share of plans.
    """
    problems = plan_problems(wanted)
    if problems:
        raise InvalidInput(problems)
    versions = {plan.code: plan.version for plan in read_plans(connection, merchant_id)}
    if wanted.code not in versions and len(versions) >= PLANS_MAX:
        raise InvalidInput.at("code", f"must not be new: a merchant has at most {PLANS_MAX} plans")
    plan = replace(wanted, version=versions.get(wanted.code, 0) + 1)
    write_plan(connection, merchant_id, plan)
    return plan


def sell_plan(
    connection: Connection,
    merchant_id: str,
    card_id: str,
    *,
    code: str,
    reference: str,
    paid_id: str,
    now: datetime,
) -> PaidMembership:
    """What the card bought: begun now, or when what still runs of the plan ends.

    In the grace of another nothing runs, so all its time is before it when it is sold. A second
    call with the merchant's `reference` gives the first one's.

    Raises:
        MerchantNotActive: the merchant may not.
        NotFound: the merchant sells no such plan.
        NotAMember: the card has not joined the merchant.
        InvalidInput: the reference is outside its limits, or names another sale.

    Source: docs/rules/paid-memberships.md, rules 2 and 3.
    """
    require_active(connection, merchant_id)
    if not 1 <= len(reference) <= REFERENCE_MAX:
        raise InvalidInput.at("reference", f"must have 1 to {REFERENCE_MAX} characters")
    before = read_paid_by_reference(connection, merchant_id=merchant_id, reference=reference)
    if before is not None:
        if (before.card_id, before.plan.code) != (card_id, code):
            raise InvalidInput.at("reference", "must not name the sale of another paid membership")
        return before
    plan = next((each for each in read_plans(connection, merchant_id) if each.code == code), None)
    if plan is None or not plan.is_active:
        raise NotFound(code)
    if not read_member_cards(connection, merchant_id, [card_id]):
        raise NotAMember([card_id])
    key = (merchant_id, card_id)
    running = [
        each.ends_at
        for each in read_paid_of(connection, [key]).get(key, ())
        if each.plan.code == code and each.state_at(now) in (PaidState.PENDING, PaidState.ACTIVE)
    ]
    starts_at = max(running, default=now)
    bought = PaidMembership(
        id=paid_id,
        merchant_id=merchant_id,
        card_id=card_id,
        plan=plan,
        starts_at=starts_at,
        ends_at=paid_until(starts_at, plan.months),
    )
    insert_paid(connection, bought, reference=reference)
    set_floor(connection, bought)
    return bought


def refund_paid(
    connection: Connection, merchant_id: str, paid_id: str, *, now: datetime
) -> PaidMembership:
    """The paid membership, ended now, with what of its price goes back.

    What continues it begins at once.

    Raises:
        NotFound: the merchant sold no such thing.
        PaidMembershipOver: it was refunded, or its time is over.

    Source: docs/rules/paid-memberships.md, rule 4.
    """
    bought = read_paid(connection, merchant_id=merchant_id, paid_id=paid_id)
    if bought is None:
        raise NotFound(paid_id)
    if bought.refunded_at is not None or now >= bought.ends_at:
        raise PaidMembershipOver(paid_id)
    refunded_minor = pro_rata_minor(bought, now)
    write_paid_refund(connection, bought, refunded_at=to_micros(now), refunded_minor=refunded_minor)
    refunded = replace(bought, refunded_at=now, refunded_minor=refunded_minor)
    set_floor(connection, refunded)
    key = (merchant_id, bought.card_id)
    of_plan = [
        each for each in read_paid_of(connection, [key])[key] if each.plan.code == bought.plan.code
    ]
    begun = {each.id for each in of_plan if each.starts_at <= now}
    for each in moved_up(of_plan, fixed=begun, now=now):
        rewrite(connection, each)
    return refunded


def rewrite(connection: Connection, bought: PaidMembership) -> None:
    """Gives a paid membership other instants, or takes a refund from it, and its rank with it."""
    rewrite_paid(connection, bought)
    set_floor(connection, bought)


def set_floor(connection: Connection, bought: PaidMembership) -> None:
    """The rank below which a paid membership keeps its card, for as long as it gives anything."""
    rank = bought.plan.rank
    if rank is None:
        return
    write_floor(
        connection,
        (bought.merchant_id, bought.card_id, ""),
        cause=bought.id,
        rank=rank,
        starts_at=bought.starts_at,
        ends_at=bought.refunded_at or bought.grace_until,
    )
