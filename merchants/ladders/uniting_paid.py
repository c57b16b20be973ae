"""Paid memberships of two cards that become one, or two again.

Source: docs/rules/paid-memberships.md, rule 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from merchants.ladders.paid import PaidChange, PaidMembership, parted, united
from merchants.ladders.paid_sql import read_paid, read_paid_of, rewrite_paid
from merchants.ladders.selling import set_floor


def unite_paid(
    connection: Connection, merchant_id: str, card_id: str, *, now: datetime
) -> list[PaidChange]:
    """Lets none of one plan overlap; what became of each, for whoever undoes it.

    Called when the card has what both cards bought.
    """
    bought = read_paid_of(connection, [(merchant_id, card_id)]).get((merchant_id, card_id), ())
    changed = {each.id: each for each in united(bought, now=now)}
    for each in changed.values():
        _rewrite(connection, each)
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

    What a refund gave back stays noted, for a later one to give less. What was bought since
    follows what its own card has. Called when each card has again what it bought.

    Source: docs/rules/paid-memberships.md, rule 5.
    """
    _restore(connection, merchant_id, changed)
    before = [paid_id for paid_id, _, _ in changed]
    found = read_paid_of(connection, [(merchant_id, card_id) for card_id in card_ids])
    for bought in found.values():
        for each in parted(bought, before=before, now=now):
            _rewrite(connection, each)


def _restore(connection: Connection, merchant_id: str, changed: Sequence[PaidChange]) -> None:
    for paid_id, was, after in changed:
        bought = read_paid(connection, merchant_id=merchant_id, paid_id=paid_id)
        if bought is None or [*_span(bought), _refunded(bought)] != [*after]:
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
        _rewrite(connection, restored)


def _rewrite(connection: Connection, bought: PaidMembership) -> None:
    rewrite_paid(connection, bought)
    set_floor(connection, bought)


def _span(bought: PaidMembership) -> tuple[int, int]:
    return to_micros(bought.starts_at), to_micros(bought.ends_at)


def _refunded(bought: PaidMembership) -> int | None:
    return None if bought.refunded_at is None else to_micros(bought.refunded_at)
