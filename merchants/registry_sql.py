"""SQL of merchants and memberships. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from kernel.statements import Prepared
from merchants.keys_sql import EACH_KEY, Key, keys_parameter, matches
from merchants.stored import dump

_SET_STATE = Prepared(
    "INSERT INTO merchant (merchant_id, state, state_version)"
    " VALUES (:merchant_id, :state, :version)"
    " ON CONFLICT (merchant_id) DO UPDATE"
    " SET state = excluded.state, state_version = excluded.state_version"
    " WHERE merchant.state_version <= excluded.state_version"
)
_STATE = Prepared("SELECT state FROM merchant WHERE merchant_id = :merchant_id")
_JOIN = Prepared(
    "INSERT INTO membership (merchant_id, card_id, membership_id, store_id, coupon_ids, joined_at)"
    " VALUES (:merchant_id, :card_id, :membership_id, :store_id, '[]', :joined_at)"
    " ON CONFLICT DO NOTHING"
)
_SET_COUPONS = Prepared(
    "UPDATE membership SET coupon_ids = :coupon_ids"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_MEMBERSHIP = Prepared(
    "SELECT membership_id, coupon_ids FROM membership"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_CARDS_BY_MEMBERSHIP = Prepared(
    f"SELECT m.merchant_id, m.membership_id, m.card_id FROM {EACH_KEY} membership AS m"
    f" WHERE {matches('m.merchant_id', 'm.membership_id')}"
)
_MEMBER_CARDS = Prepared(
    "SELECT m.card_id FROM membership AS m WHERE m.merchant_id = :merchant_id"
    " AND m.card_id IN :card_ids AND NOT EXISTS (SELECT 1 FROM forgotten_card AS f"
    " WHERE f.merchant_id = m.merchant_id AND f.card_id = m.card_id)",
    lists=("card_ids",),
)


def write_state(connection: Connection, merchant_id: str, *, state: str, version: int) -> None:
    """Makes the merchant known, in that state; a version older than what is kept changes nothing.

    Source: docs/rules/merchants.md, rule 10.
    """
    connection.execute(_SET_STATE, {"merchant_id": merchant_id, "state": state, "version": version})


def read_state(connection: Connection, merchant_id: str) -> str | None:
    """The merchant's state; None when it is not known here."""
    state: str | None = connection.execute(_STATE, {"merchant_id": merchant_id}).scalar()
    return state


def insert_membership(connection: Connection, values: dict[str, Any]) -> bool:
    """Whether the card was new at the merchant."""
    return connection.execute(_JOIN, values).rowcount == 1


def write_joining_coupons(
    connection: Connection, *, merchant_id: str, card_id: str, coupon_ids: Sequence[str]
) -> None:
    """Keeps what the card was given for joining."""
    connection.execute(
        _SET_COUPONS,
        {"merchant_id": merchant_id, "card_id": card_id, "coupon_ids": dump(list(coupon_ids))},
    )


def read_membership(connection: Connection, *, merchant_id: str, card_id: str) -> Row[Any] | None:
    """membership_id and coupon_ids of the card at the merchant."""
    return connection.execute(
        _MEMBERSHIP, {"merchant_id": merchant_id, "card_id": card_id}
    ).one_or_none()


def read_cards_of_memberships(connection: Connection, keys: Sequence[Key]) -> dict[Key, str]:
    """Card ids by (merchant_id, membership_id); unknown ones are left out."""
    rows = connection.execute(_CARDS_BY_MEMBERSHIP, {"keys": keys_parameter(keys)})
    return {(row.merchant_id, row.membership_id): row.card_id for row in rows}


def read_member_cards(
    connection: Connection, merchant_id: str, card_ids: Sequence[str]
) -> set[str]:
    """Which of the cards have joined the merchant, and are no erased member's."""
    rows = connection.execute(
        _MEMBER_CARDS, {"merchant_id": merchant_id, "card_ids": list(card_ids)}
    )
    return set(rows.scalars())
