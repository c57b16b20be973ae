"""Paid memberships of two cards that become one, or two again.

Source: docs/rules/paid-memberships.md, rule 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from merchants.ladders.paid import PaidChange, PaidMembership, united
from merchants.ladders.paid_sql import read_paid, read_paid_of, rewrite_paid
from merchants.ladders.selling import set_floor


def unite_paid(
    connection: Connection, merchant_id: str, card_id: str, *, now: datetime
) -> list[PaidChange]:
    """Lets none of one plan overlap; what that changed, for whoever undoes it.

    Called when the card has what both cards bought.
    """
    bought = read_paid_of(connection, [(merchant_id, card_id)]).get((merchant_id, card_id), ())
    before = {each.id: each for each in bought}
    changed = []
    for each in united(bought, now=now):
        rewrite_paid(connection, each)
        set_floor(connection, each)
        was = before[each.id]
        changed.append((each.id, _span(was), (*_span(each), _refunded(each))))
    return changed


def part_paid(connection: Connection, merchant_id: str, changed: Sequence[PaidChange]) -> None:
    """Makes what was changed as it was before, unless more became of it since.

    Called when each card has again what it bought.
    """
    for paid_id, was, after in changed:
        bought = read_paid(connection, merchant_id=merchant_id, paid_id=paid_id)
        if bought is None or [*_span(bought), _refunded(bought)] != [*after]:
            continue
        starts_at, ends_at = map(from_micros, was)
        restored = replace(
            bought, starts_at=starts_at, ends_at=ends_at, refunded_at=None, refunded_minor=None
        )
        rewrite_paid(connection, restored)
        set_floor(connection, restored)


def _span(bought: PaidMembership) -> tuple[int, int]:
    return to_micros(bought.starts_at), to_micros(bought.ends_at)


def _refunded(bought: PaidMembership) -> int | None:
    return None if bought.refunded_at is None else to_micros(bought.refunded_at)
