"""Tiers of two cards that become one, or two again.

Source: docs/rules/tiers.md, rule 20.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from merchants.ladders.evaluating import Evaluator
from merchants.ladders.held_sql import read_held, write_floor
from merchants.ladders.paid import PaidChange
from merchants.wallets.uniting_paid import part_paid, unite_paid
from merchants.wallets.uniting_sql import (
    end_floor,
    forget_held,
    move_overlays,
    return_overlays,
)


def unite_tiers(
    connection: Connection,
    merchant_id: str,
    *,
    survivor_card_id: str,
    merged_card_id: str,
    merge_id: str,
    now: datetime,
    evaluator: Evaluator,
) -> list[PaidChange]:
    """The survivor stands where both histories together put it, and not below either's kept tier.

    Called in the transaction that gave the merged card's orders to the survivor, after it did.

    Returns:
        What became of paid memberships, for `part_tiers`.
    """
    cards = (survivor_card_id, merged_card_id)
    kept = read_held(connection, [(merchant_id, card_id) for card_id in cards])
    for (_, _, ladder), tier in sorted(kept.items(), key=lambda each: each[1].held.rank):
        held = tier.held
        if held.rank and held.valid_until is not None and held.valid_until > now:
            # The higher tier comes last, and replaces the lower one's floor.
            write_floor(
                connection,
                (merchant_id, survivor_card_id, ladder),
                cause=merge_id,
                rank=held.rank,
                starts_at=now,
                ends_at=held.valid_until,
            )
    move_overlays(connection, merchant_id, before=merged_card_id, after=survivor_card_id)
    paid = unite_paid(connection, merchant_id, survivor_card_id, now=now)
    for card_id in cards:
        forget_held(connection, merchant_id, card_id)
    evaluator.settle_card(connection, merchant_id, survivor_card_id, now=now)
    return paid


def part_tiers(
    connection: Connection,
    merchant_id: str,
    *,
    survivor_card_id: str,
    merged_card_id: str,
    merge_id: str,
    now: datetime,
    evaluator: Evaluator,
    paid: Sequence[PaidChange] = (),
) -> None:
    """Each card stands again where its own history puts it.

    Called in the transaction that gave the merged card its orders back, after it did.
    """
    cards = (survivor_card_id, merged_card_id)
    return_overlays(connection, merchant_id, before=survivor_card_id, after=merged_card_id)
    part_paid(connection, merchant_id, paid, card_ids=cards, now=now)
    end_floor(connection, merchant_id, survivor_card_id, cause=merge_id)
    for card_id in cards:
        forget_held(connection, merchant_id, card_id)
        evaluator.settle_card(connection, merchant_id, card_id, now=now)
