"""SQL of coupons on their way from one member to another. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared

_OPEN = Prepared(
    "UPDATE coupon SET state = 'TRANSFERRED', share_code = :share_code, share_until = :ends_at"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id AND card_id = :card_id"
    " AND passed_from IS NULL AND valid_until > :at AND (state = 'ISSUED' OR share_until <= :at)"
)
_KEEP = Prepared(
    "INSERT INTO coupon_share (merchant_id, share_code, coupon_id, card_id, shared_at, ends_at)"
    " VALUES (:merchant_id, :share_code, :coupon_id, :card_id, :at, :ends_at)"
)
_CLOSE = Prepared(
    "UPDATE coupon SET state = 'ISSUED', share_until = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id AND card_id = :card_id"
    " AND share_until IS NOT NULL"
)
_KEEP_CLOSED = Prepared(
    "UPDATE coupon_share SET taken_back_at = :at WHERE merchant_id = :merchant_id"
    " AND share_code = :share_code AND claimed_at IS NULL"
)
_HAND_OVER = Prepared(
    "UPDATE coupon SET share_until = NULL"
    " WHERE merchant_id = :merchant_id AND coupon_id = :coupon_id AND share_code = :share_code"
    " AND share_until > :at AND valid_until > :at"
)
_KEEP_CLAIMED = Prepared(
    "UPDATE coupon_share SET claimed_by = :card_id, claimed_coupon_id = :claimed_coupon_id,"
    " claimed_at = :at WHERE merchant_id = :merchant_id AND share_code = :share_code"
)
_SHARE = Prepared(
    "SELECT merchant_id, share_code, coupon_id, card_id, ends_at, claimed_by, claimed_coupon_id,"
    " taken_back_at FROM coupon_share"
    " WHERE merchant_id = :merchant_id AND share_code = :share_code"
)
_SHARED_SINCE = Prepared(
    "SELECT COUNT(*) FROM coupon_share WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " AND shared_at >= :since"
)
_CLAIMED_SINCE = Prepared(
    "SELECT COUNT(*) FROM coupon_share WHERE merchant_id = :merchant_id"
    " AND claimed_by = :card_id AND claimed_at >= :since"
)


@dataclass(frozen=True, slots=True)
class Share:
    """One time that a member passed a coupon on; instants in microseconds."""

    merchant_id: str
    share_code: str
    coupon_id: str
    card_id: str
    ends_at: int
    claimed_by: str | None
    claimed_coupon_id: str | None
    taken_back_at: int | None


def open_share(connection: Connection, share: Share, *, at: int) -> bool:
    """Whether the coupon was its holder's and free, and can be claimed with the code now."""
    values = {
        "merchant_id": share.merchant_id,
        "share_code": share.share_code,
        "coupon_id": share.coupon_id,
        "card_id": share.card_id,
        "ends_at": share.ends_at,
        "at": at,
    }
    if connection.execute(_OPEN, values).rowcount == 0:
        return False
    connection.execute(_KEEP, values)
    return True


def close_share(
    connection: Connection,
    *,
    merchant_id: str,
    coupon_id: str,
    card_id: str,
    share_code: str,
    at: int,
) -> bool:
    """Whether the coupon waited to be claimed, and is its holder's again."""
    key = {"merchant_id": merchant_id, "coupon_id": coupon_id, "card_id": card_id}
    if connection.execute(_CLOSE, key).rowcount == 0:
        return False
    connection.execute(
        _KEEP_CLOSED, {"merchant_id": merchant_id, "share_code": share_code, "at": at}
    )
    return True


def hand_over(connection: Connection, share: Share, *, at: int) -> bool:
    """Whether the coupon could be claimed, and is nobody's else any more."""
    values = {
        "merchant_id": share.merchant_id,
        "coupon_id": share.coupon_id,
        "share_code": share.share_code,
        "at": at,
    }
    return connection.execute(_HAND_OVER, values).rowcount == 1


def write_claimed(
    connection: Connection, share: Share, *, card_id: str, claimed_coupon_id: str, at: int
) -> None:
    """Keeps who claimed the share, and which coupon they got."""
    connection.execute(
        _KEEP_CLAIMED,
        {
            "merchant_id": share.merchant_id,
            "share_code": share.share_code,
            "card_id": card_id,
            "claimed_coupon_id": claimed_coupon_id,
            "at": at,
        },
    )


def read_share(connection: Connection, *, merchant_id: str, share_code: str) -> Share | None:
    """The share; None when the merchant has no such code."""
    row: Any = connection.execute(
        _SHARE, {"merchant_id": merchant_id, "share_code": share_code}
    ).one_or_none()
    return None if row is None else Share(*row)


def count_shared(connection: Connection, *, merchant_id: str, card_id: str, since: int) -> int:
    """How many coupons the card passed on since then."""
    values = {"merchant_id": merchant_id, "card_id": card_id, "since": since}
    return int(connection.execute(_SHARED_SINCE, values).scalar_one())


def count_claimed(connection: Connection, *, merchant_id: str, card_id: str, since: int) -> int:
    """How many shared coupons the card claimed since then."""
    values = {"merchant_id": merchant_id, "card_id": card_id, "since": since}
    return int(connection.execute(_CLAIMED_SINCE, values).scalar_one())
