"""Paid memberships of two cards that become one, or two again.

Source: docs/rules/paid-memberships.md, rule 5.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from merchants.ladders.paid import PaidChange, PaidMembership, PaidState, moved_up, united
from merchants.ladders.paid_sql import read_paid, read_paid_of
from merchants.ladders.selling import rewrite
from merchants.wallets.uniting_sql import read_own_paid


def unite_paid(
    connection: Connection, merchant_id: str, card_id: str, *, now: datetime
) -> list[PaidChange]:
    """Lets none of one plan overlap; what became of each, for whoever undoes it.

    Called when the card has what both cards bought.
    """
    bought = read_paid_of(connection, [(merchant_id, card_id)]).get((merchant_id, card_id), ())
    changed = {each.id: each for each in united(bought, now=now)}
    for each in changed.values():
        rewrite(connection, each)
    kept: list[PaidChange] = []
    for was in bought:
        if was.refunded_at is None:
            then = changed.get(was.id, was)
            told = was.refunded_minor or 0
            kept.append((was.id, (*_span(was), told), (*_span(then), _refunded(then))))
    return kept


def refunds_minor(
    connection: Connection, merchant_id: str, card_ids: Sequence[str], *, now: datetime
) -> int:
    """What would be refunded if these cards became one."""
    found = read_paid_of(connection, [(merchant_id, card_id) for card_id in card_ids])
    bought = [each for of_card in found.values() for each in of_card]
    refunded = [each for each in united(bought, now=now) if each.refunded_at is not None]
    return sum(each.refunded_minor or 0 for each in refunded)


def part_paid(
    connection: Connection,
    merchant_id: str,
    changed: Sequence[PaidChange],
    *,
    card_ids: Sequence[str],
    now: datetime,
) -> None:
    """Makes what was changed as it was before, unless more became of it since.

    What a refund gave back stays noted, for a later one to give less. What was bought since, or
    begins earlier since because something was refunded, follows what its own card has: for its
    whole time even if it had begun, as the days since count for what is restored with its old
    end. What runs and another merge brought is left to that one. Called when each card has again
    what it bought.

    Source: docs/rules/paid-memberships.md, rule 5.
    """
    earlier = _restore(connection, merchant_id, changed)
    as_before = {paid_id for paid_id, _, _ in changed} - earlier
    found = read_paid_of(connection, [(merchant_id, card_id) for card_id in card_ids])
    for (_, card_id), bought in found.items():
        own = read_own_paid(connection, merchant_id, card_id)
        fixed = as_before | (_undisturbed(bought, as_before, own, now) - earlier)
        for each in moved_up(bought, fixed=fixed, now=now):
            rewrite(connection, each)


def _undisturbed(
    bought: Sequence[PaidMembership],
    as_before: Collection[str],
    own: Collection[str],
    now: datetime,
) -> set[str]:
    """Ids of what has begun, but for the card's own beside which its plan is in force again."""
    again = {
        each.plan.code
        for each in bought
        if each.id in as_before and each.state_at(now) is PaidState.ACTIVE
    }
    return {
        each.id
        for each in bought
        if each.starts_at <= now and (each.id not in own or each.plan.code not in again)
    }


def _restore(connection: Connection, merchant_id: str, changed: Sequence[PaidChange]) -> set[str]:
    """Ids of those that are not restored because a refund let them begin earlier since."""
    earlier = set()
    for paid_id, was, after in changed:
        bought = read_paid(connection, merchant_id=merchant_id, paid_id=paid_id)
        if bought is None:
            continue
        if to_micros(bought.starts_at) < after[0]:
            earlier.add(paid_id)
        if [*_span(bought), _refunded(bought)] != [*after]:
            continue
        starts_at, ends_at, *told = was
        if bought.refunded_at is not None:
            told.append(bought.refunded_minor or 0)
        restored = replace(
            bought,
            starts_at=from_micros(starts_at),
            ends_at=from_micros(ends_at),
            refunded_at=None,
            refunded_minor=sum(told) or None,
        )
        rewrite(connection, restored)
    return earlier


def _span(bought: PaidMembership) -> tuple[int, int]:
    return to_micros(bought.starts_at), to_micros(bought.ends_at)


def _refunded(bought: PaidMembership) -> int | None:
    return None if bought.refunded_at is None else to_micros(bought.refunded_at)
