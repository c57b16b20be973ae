"""SQL of merged wallets. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.templates import CouponState
from merchants.ladders.paid import PaidChange
from merchants.registry_sql import insert_membership, write_joining_coupons
from merchants.stored import dump, load
from merchants.wallets.given_sql import Given

_WALLET = Prepared(
    "SELECT c.coupon_id, c.template_id, c.state, c.valid_until, t.for_new_members,"
    " t.quota_per_member FROM coupon AS c JOIN coupon_template AS t"
    " ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
    " WHERE c.merchant_id = :merchant_id AND c.card_id = :card_id"
    " ORDER BY c.valid_until, c.coupon_id"
)
_ORDERS = Prepared(
    "SELECT order_id FROM sale WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " UNION ALL SELECT order_id FROM recorded_order"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id ORDER BY 1"
)
_COUPON_CARD = Prepared(
    "UPDATE coupon SET card_id = :card_id"
    " WHERE merchant_id = :merchant_id AND coupon_id = :moved_id"
)
_SALE_CARD = Prepared(
    "UPDATE sale SET card_id = :card_id, membership_id = :membership_id"
    " WHERE merchant_id = :merchant_id AND order_id = :moved_id"
)
_RECORDED_CARD = Prepared(
    "UPDATE recorded_order SET card_id = :card_id"
    " WHERE merchant_id = :merchant_id AND order_id = :moved_id"
)
_VOID = Prepared(
    "UPDATE coupon SET state = :after WHERE merchant_id = :merchant_id"
    " AND coupon_id = :moved_id AND state = :before"
)
_MEMBERSHIP = Prepared(
    "SELECT membership_id, store_id, coupon_ids, joined_at FROM membership"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_MOVE_MEMBERSHIP = Prepared(
    "UPDATE membership SET card_id = :after WHERE merchant_id = :merchant_id AND card_id = :before"
)
_DROP_MEMBERSHIP = Prepared(
    "DELETE FROM membership WHERE merchant_id = :merchant_id AND card_id = :before"
)
_DROP_FIGURES = Prepared(
    "DELETE FROM card_metric WHERE merchant_id = :merchant_id AND card_id = :card_id"
)
_RECOUNT = Prepared(
    "INSERT INTO card_metric (merchant_id, card_id, order_count, amount_minor)"
    " SELECT merchant_id, card_id, COUNT(*), SUM(qualifying_minor) FROM ("
    "SELECT merchant_id, card_id, qualifying_minor FROM sale"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id AND state <> 'REFUNDED'"
    " UNION ALL SELECT merchant_id, card_id, qualifying_minor FROM recorded_order"
    " WHERE merchant_id = :merchant_id AND card_id = :card_id AND is_refunded = 0"
    ") AS counted GROUP BY merchant_id, card_id"
)
_MERGE = Prepared(
    "SELECT survivor_card_id, merged_card_id, coupons_moved, moved, is_undone FROM wallet_merge"
    " WHERE merchant_id = :merchant_id AND merge_id = :merge_id"
)
_INSERT_MERGE = Prepared(
    "INSERT INTO wallet_merge (merchant_id, merge_id, survivor_card_id, merged_card_id,"
    " coupons_moved, moved, is_undone) VALUES (:merchant_id, :merge_id, :survivor_card_id,"
    " :merged_card_id, :coupons_moved, :moved, 0)"
)
_UNDONE = Prepared(
    "UPDATE wallet_merge SET is_undone = 1"
    " WHERE merchant_id = :merchant_id AND merge_id = :merge_id"
)


@dataclass(frozen=True, slots=True)
class WalletCoupon:
    """A coupon as far as a merge must know it; `valid_until` in microseconds."""

    coupon_id: str
    template_id: str
    state: CouponState
    valid_until: int
    is_welcome: bool
    quota_per_member: int


@dataclass(frozen=True, slots=True)
class KeptMerge:
    """What a merge did at one merchant.

    Attributes:
        coupon_ids, order_ids: all that changed hands, used or not.
        voided_ids: welcomes that were voided, of either card.
        membership: the merged card's membership that went, because the survivor had one.
        membership_moved: whether the merged card's membership became the survivor's.
        given: shares and occasions that changed hands.
        paid: what became of paid memberships that were not refunded.
    """

    survivor_card_id: str
    merged_card_id: str
    coupons_moved: int
    coupon_ids: Sequence[str]
    voided_ids: Sequence[str]
    order_ids: Sequence[str]
    membership: dict[str, Any] | None
    membership_moved: bool
    is_undone: bool
    given: Given = field(default_factory=Given)
    paid: Sequence[PaidChange] = ()


def read_wallet(connection: Connection, merchant_id: str, card_id: str) -> list[WalletCoupon]:
    """Every coupon of a card, soonest to end first."""
    rows = connection.execute(_WALLET, {"merchant_id": merchant_id, "card_id": card_id})
    return [
        WalletCoupon(
            coupon_id=row.coupon_id,
            template_id=row.template_id,
            state=CouponState(row.state),
            valid_until=row.valid_until,
            is_welcome=bool(row.for_new_members),
            quota_per_member=row.quota_per_member,
        )
        for row in rows
    ]


def read_order_ids(connection: Connection, merchant_id: str, card_id: str) -> list[str]:
    """Ids of every order of a card, placed here or recorded."""
    key = {"merchant_id": merchant_id, "card_id": card_id}
    return list(connection.execute(_ORDERS, key).scalars())


def write_card(
    connection: Connection,
    merchant_id: str,
    *,
    card_id: str,
    coupon_ids: Sequence[str],
    order_ids: Sequence[str],
    membership_id: str | None,
) -> None:
    """Makes coupons and orders a card's."""
    for statement, moved_ids in (
        (_COUPON_CARD, coupon_ids),
        (_SALE_CARD, order_ids),
        (_RECORDED_CARD, order_ids),
    ):
        for moved_id in moved_ids:
            values = {"merchant_id": merchant_id, "card_id": card_id, "moved_id": moved_id}
            if statement is _SALE_CARD:
                values = {**values, "membership_id": membership_id}  # type: ignore[dict-item]
            connection.execute(statement, values)


def void_coupons(connection: Connection, merchant_id: str, coupon_ids: Sequence[str]) -> None:
    """Makes unused coupons worthless."""
    _change_state(connection, merchant_id, coupon_ids, before="ISSUED", after="VOID")


def restore_coupons(connection: Connection, merchant_id: str, coupon_ids: Sequence[str]) -> None:
    """Makes voided coupons good again."""
    _change_state(connection, merchant_id, coupon_ids, before="VOID", after="ISSUED")


def move_membership(
    connection: Connection, merchant_id: str, *, before: str, after: str | None
) -> dict[str, Any] | None:
    """Gives a card's membership to another card; removes and returns it when `after` is None."""
    key = {"merchant_id": merchant_id, "before": before}
    if after is not None:
        connection.execute(_MOVE_MEMBERSHIP, {**key, "after": after})
        return None
    row = connection.execute(
        _MEMBERSHIP, {"merchant_id": merchant_id, "card_id": before}
    ).one_or_none()
    connection.execute(_DROP_MEMBERSHIP, key)
    return None if row is None else row._asdict()


def restore_membership(connection: Connection, merchant_id: str, kept: KeptMerge) -> None:
    """Gives the merged card its membership back."""
    if kept.membership_moved:
        move_membership(
            connection, merchant_id, before=kept.survivor_card_id, after=kept.merged_card_id
        )
    elif kept.membership is not None:
        key = {"merchant_id": merchant_id, "card_id": kept.merged_card_id}
        coupon_ids = load(kept.membership["coupon_ids"])
        row = {name: kept.membership[name] for name in ("membership_id", "store_id", "joined_at")}
        insert_membership(connection, {**key, **row})
        write_joining_coupons(connection, coupon_ids=coupon_ids, **key)


def recount(connection: Connection, merchant_id: str, card_id: str) -> None:
    """Counts a card's lifetime figures anew, from its orders."""
    key = {"merchant_id": merchant_id, "card_id": card_id}
    connection.execute(_DROP_FIGURES, key)
    connection.execute(_RECOUNT, key)


def read_merge(connection: Connection, merchant_id: str, merge_id: str) -> KeptMerge | None:
    """What a merge did here; None when it is not known."""
    row = connection.execute(
        _MERGE, {"merchant_id": merchant_id, "merge_id": merge_id}
    ).one_or_none()
    if row is None:
        return None
    moved = load(row.moved)
    given = Given(**moved.pop("given", {}))
    return KeptMerge(
        survivor_card_id=row.survivor_card_id,
        merged_card_id=row.merged_card_id,
        coupons_moved=row.coupons_moved,
        is_undone=bool(row.is_undone),
        given=given,
        **moved,
    )


def insert_merge(connection: Connection, merchant_id: str, merge_id: str, kept: KeptMerge) -> None:
    """Keeps what a merge did here."""
    moved = {
        "coupon_ids": list(kept.coupon_ids),
        "voided_ids": list(kept.voided_ids),
        "order_ids": list(kept.order_ids),
        "membership": kept.membership,
        "membership_moved": kept.membership_moved,
        "given": {
            "shared": list(kept.given.shared),
            "claimed": list(kept.given.claimed),
            "occasions": list(kept.given.occasions),
        },
        "paid": list(kept.paid),
    }
    connection.execute(
        _INSERT_MERGE,
        {
            "merchant_id": merchant_id,
            "merge_id": merge_id,
            "survivor_card_id": kept.survivor_card_id,
            "merged_card_id": kept.merged_card_id,
            "coupons_moved": kept.coupons_moved,
            "moved": dump(moved),
        },
    )


def mark_undone(connection: Connection, merchant_id: str, merge_id: str) -> None:
    """Notes that the merge holds no more."""
    connection.execute(_UNDONE, {"merchant_id": merchant_id, "merge_id": merge_id})


def _change_state(
    connection: Connection,
    merchant_id: str,
    coupon_ids: Sequence[str],
    *,
    before: str,
    after: str,
) -> None:
    for coupon_id in coupon_ids:
        connection.execute(
            _VOID,
            {
                "merchant_id": merchant_id,
                "moved_id": coupon_id,
                "before": before,
                "after": after,
            },
        )
