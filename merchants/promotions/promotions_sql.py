"""SQL of promotions and their versions. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.statements import Prepared
from merchants.promotions.stored import terms_as_text, terms_from_text
from merchants.promotions.terms import Promotion, PromotionTerms
from merchants.promotions.validation import LIVE_MAX

_COLUMNS = "p.promotion_id, p.version, p.stock, p.taken, p.created_at, v.terms"
_LATEST = (
    " FROM promotion AS p JOIN promotion_version AS v ON v.merchant_id = p.merchant_id"
    " AND v.promotion_id = p.promotion_id AND v.version = p.version"
    " WHERE p.merchant_id = :merchant_id"
)
_OPEN = Prepared(
    f"SELECT {_COLUMNS}{_LATEST} AND (p.opens_at <= :at"
    " OR (p.stock IS NOT NULL AND p.opens_at <= :early_by)) AND p.ends_at > :at"
    " ORDER BY p.promotion_id LIMIT :limit"
)
_ONE = Prepared(f"SELECT {_COLUMNS}{_LATEST} AND p.promotion_id = :promotion_id")
_VERSION = Prepared(
    "SELECT p.promotion_id, v.version, p.stock, p.taken, p.created_at, v.terms"
    " FROM promotion AS p JOIN promotion_version AS v ON v.merchant_id = p.merchant_id"
    " AND v.promotion_id = p.promotion_id WHERE p.merchant_id = :merchant_id"
    " AND p.promotion_id = :promotion_id AND v.version = :version"
)
_PAGE = Prepared(
    f"SELECT {_COLUMNS}{_LATEST} AND (p.created_at, p.promotion_id) < (:created_at, :promotion_id)"
    " AND (p.opens_at <= :opens_by OR (p.stock IS NOT NULL AND p.opens_at <= :early_by))"
    " ORDER BY p.created_at DESC, p.promotion_id DESC LIMIT :limit"
)
_COUNT_LIVE = Prepared(
    "SELECT COUNT(*) FROM promotion WHERE merchant_id = :merchant_id AND ends_at > :at"
)
_INSERT = Prepared(
    "INSERT INTO promotion (merchant_id, promotion_id, version, stock, taken, opens_at, ends_at,"
    " created_at) VALUES (:merchant_id, :promotion_id, :version, :stock, 0, :opens_at, :ends_at,"
    " :set_at)"
)
_MOVE = Prepared(
    "UPDATE promotion SET version = :version, stock = :stock, opens_at = :opens_at,"
    " ends_at = :ends_at WHERE merchant_id = :merchant_id AND promotion_id = :promotion_id"
)
_INSERT_VERSION = Prepared(
    "INSERT INTO promotion_version (merchant_id, promotion_id, version, terms, set_at)"
    " VALUES (:merchant_id, :promotion_id, :version, :terms, :set_at)"
)


@dataclass(frozen=True, slots=True)
class KeptPromotion:
    """A promotion as it is kept; `created_at` in microseconds, of its first version."""

    promotion: Promotion
    taken: int
    created_at: int


def read_open_promotions(
    connection: Connection, merchant_id: str, *, at: int, early_by: int | None = None
) -> list[Promotion]:
    """The merchant's promotions that are neither over nor yet to come, latest versions, by id.

    Args:
        early_by: flash sales, which alone have a stock, may open as late as that.
    """
    values = {
        "merchant_id": merchant_id,
        "at": at,
        "early_by": at if early_by is None else early_by,
        "limit": LIVE_MAX,
    }
    rows = connection.execute(_OPEN, values)
    return [_kept(row).promotion for row in rows]


def read_promotion(
    connection: Connection, *, merchant_id: str, promotion_id: str, version: int | None = None
) -> KeptPromotion | None:
    """That version, or the latest; None when the merchant has no such one."""
    key: dict[str, Any] = {"merchant_id": merchant_id, "promotion_id": promotion_id}
    found = (
        connection.execute(_ONE, key)
        if version is None
        else connection.execute(_VERSION, {**key, "version": version})
    )
    row = found.one_or_none()
    return None if row is None else _kept(row)


def read_promotion_page(
    connection: Connection,
    merchant_id: str,
    *,
    after: Sequence[Any] | None,
    limit: int,
    opens_by: int,
    early_by: int,
) -> list[KeptPromotion]:
    """Promotions that open by that instant, newest first, behind `after`.

    Args:
        early_by: by when flash sales, which alone have a stock, must open.
        after: (created_at, promotion_id) of the last one seen.
    """
    created_at, promotion_id = after or (2**62, "")
    rows = connection.execute(
        _PAGE,
        {
            "merchant_id": merchant_id,
            "created_at": created_at,
            "promotion_id": promotion_id,
            "limit": limit,
            "opens_by": opens_by,
            "early_by": early_by,
        },
    )
    return [_kept(row) for row in rows]


def count_live(connection: Connection, merchant_id: str, *, at: int) -> int:
    """How many of the merchant's promotions are not over."""
    return int(connection.execute(_COUNT_LIVE, {"merchant_id": merchant_id, "at": at}).scalar_one())


def write_version(
    connection: Connection,
    terms: PromotionTerms,
    *,
    merchant_id: str,
    promotion_id: str,
    version: int,
    set_at: int,
) -> None:
    """Keeps a version and makes it the one in force."""
    values = {
        "merchant_id": merchant_id,
        "promotion_id": promotion_id,
        "version": version,
        "stock": terms.stock,
        "opens_at": to_micros(terms.opens_at),
        "ends_at": to_micros(terms.ends_at),
        "terms": terms_as_text(terms),
        "set_at": set_at,
    }
    connection.execute(_INSERT if version == 1 else _MOVE, values)
    connection.execute(_INSERT_VERSION, values)


def _kept(row: Any) -> KeptPromotion:
    left = None if row.stock is None else max(0, row.stock - row.taken)
    promotion = Promotion(row.promotion_id, row.version, terms_from_text(row.terms), left)
    return KeptPromotion(promotion, row.taken, row.created_at)
