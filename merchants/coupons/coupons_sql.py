"""SQL of issued coupons: issuing, finding, listing. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.coupons.template_life import PartialRefundRule, TemplateLife
from merchants.coupons.templates import CouponState, TemplateDraft
from merchants.keys_sql import EACH_KEY, MERCHANT, Key, keys_parameter, matches
from merchants.offers import CouponTerms, OfferedCoupon
from merchants.stored import draft_from_json, load
from merchants.tables import NEVER

_COLUMNS = (
    "c.merchant_id, c.coupon_id, c.template_id, c.card_id, c.code, c.state, c.attempt_id,"
    " c.valid_from, c.valid_until, c.share_code, c.share_until, c.passed_from, c.void_reason,"
    " t.draft, t.spent_minor"
)
_WITH_TEMPLATE = (
    " JOIN coupon_template AS t ON t.merchant_id = c.merchant_id AND t.template_id = c.template_id"
)
_INSERT = Prepared(
    "INSERT INTO coupon (merchant_id, coupon_id, template_id, card_id, code, state, valid_from,"
    " valid_until, issued_at, passed_from) VALUES (:merchant_id, :coupon_id, :template_id,"
    " :card_id, :code, 'ISSUED', :valid_from, :valid_until, :issued_at, :passed_from)"
)
_BY_KEY = Prepared(
    f"SELECT {_COLUMNS} FROM {EACH_KEY} coupon AS c{_WITH_TEMPLATE}"
    f" WHERE {matches('c.merchant_id', 'c.coupon_id')}"
)
_USABLE = Prepared(
    f"SELECT {_COLUMNS} FROM coupon AS c{_WITH_TEMPLATE}"
    " WHERE c.merchant_id = :merchant_id AND c.card_id = :card_id"
    " AND (c.state = 'ISSUED' OR c.share_until <= :at)"
    " AND c.valid_from <= :at AND c.valid_until > :at"
    " ORDER BY c.valid_until, c.coupon_id LIMIT :limit"
)
_PAGES = Prepared(
    f"SELECT {_COLUMNS} FROM {EACH_KEY} coupon AS c{_WITH_TEMPLATE}"
    f" WHERE c.merchant_id = {MERCHANT} AND c.coupon_id IN ("
    f"SELECT p.coupon_id FROM coupon AS p WHERE {matches('p.merchant_id', 'p.card_id')}"
    " AND (p.valid_until, p.coupon_id) > (:valid_until, :coupon_id)"
    " AND CASE WHEN (p.state = 'ISSUED' OR p.share_until <= :now) AND p.valid_until <= :now"
    " THEN 'EXPIRED' WHEN p.share_until <= :now THEN 'ISSUED' ELSE p.state END IN :states"
    " ORDER BY p.valid_until, p.coupon_id LIMIT :limit"
    ") ORDER BY c.merchant_id, c.card_id, c.valid_until, c.coupon_id",
    lists=("states",),
)
_IDS_OF_CARD = Prepared(
    "SELECT coupon_id FROM coupon WHERE merchant_id = :merchant_id AND card_id = :card_id"
    " ORDER BY coupon_id"
)


@dataclass(frozen=True, slots=True)
class HeldCoupon:
    """One member's coupon; instants in microseconds, `valid_until` may be NEVER.

    Attributes:
        share_until: until when its open share code can be claimed; None when none is open.
        passed_from: the coupon that it was before a member passed it on.
        spent_minor: what its template has cost so far.
    """

    merchant_id: str
    coupon_id: str
    template_id: str
    card_id: str
    code: str
    state: CouponState
    attempt_id: str | None
    valid_from: int
    valid_until: int
    share_code: str | None
    share_until: int | None
    passed_from: str | None
    void_reason: str | None
    spent_minor: int
    draft: TemplateDraft

    @property
    def terms(self) -> CouponTerms:
        """What it grants."""
        return self.draft.terms

    @property
    def life(self) -> TemplateLife:
        """How it lives."""
        return self.draft.life

    @property
    def offer(self) -> OfferedCoupon:
        """The coupon as it enters a price."""
        is_rechecked = self.life.on_partial_refund is PartialRefundRule.RECHECK_MIN_SPEND
        return OfferedCoupon(self.coupon_id, self.merchant_id, self.terms, is_rechecked)

    def state_at(self, now: int) -> CouponState:
        """Its state, EXPIRED once its time is over and nobody took it.

        A share code that nobody claimed in time gives the coupon back by that alone.
        """
        is_free = self.state is CouponState.ISSUED or (
            self.share_until is not None and self.share_until <= now
        )
        if not is_free:
            return self.state
        return CouponState.EXPIRED if self.valid_until <= now else CouponState.ISSUED


def insert_coupons(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keeps new coupons, ISSUED."""
    connection.execute(_INSERT, [{"passed_from": None, **row} for row in rows])


def read_coupons(connection: Connection, keys: Sequence[Key]) -> dict[Key, HeldCoupon]:
    """Coupons by (merchant_id, coupon_id); unknown ones are left out."""
    rows = connection.execute(_BY_KEY, {"keys": keys_parameter(keys)})
    return {(row.merchant_id, row.coupon_id): _held(row) for row in rows}


def read_usable_coupons(
    connection: Connection, *, merchant_id: str, card_id: str, at: int, limit: int
) -> list[HeldCoupon]:
    """Coupons of the card that it may use at `at`, soonest to end first."""
    rows = connection.execute(
        _USABLE, {"merchant_id": merchant_id, "card_id": card_id, "at": at, "limit": limit}
    )
    return [_held(row) for row in rows]


def read_coupon_pages(
    connection: Connection,
    keys: Sequence[Key],
    *,
    after: tuple[int, str] | None,
    states: Sequence[CouponState],
    limit: int,
    now: int,
) -> dict[Key, list[HeldCoupon]]:
    """A page of coupons for each (merchant_id, card_id), soonest to end first; one statement.

    Args:
        after: (valid_until, coupon_id) of the last one seen.
    """
    valid_until, coupon_id = after or (-NEVER, "")
    rows = connection.execute(
        _PAGES,
        {
            "keys": keys_parameter(keys),
            "valid_until": valid_until,
            "coupon_id": coupon_id,
            "states": list(states),
            "limit": limit,
            "now": now,
        },
    )
    pages: dict[Key, list[HeldCoupon]] = {}
    for row in rows:
        pages.setdefault((row.merchant_id, row.card_id), []).append(_held(row))
    return pages


def _held(row: Any) -> HeldCoupon:
    return HeldCoupon(
        merchant_id=row.merchant_id,
        coupon_id=row.coupon_id,
        template_id=row.template_id,
        card_id=row.card_id,
        code=row.code,
        state=CouponState(row.state),
        attempt_id=row.attempt_id,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        share_code=row.share_code,
        share_until=row.share_until,
        passed_from=row.passed_from,
        void_reason=row.void_reason,
        spent_minor=row.spent_minor,
        draft=draft_from_json(load(row.draft)),
    )


def read_coupon_ids(connection: Connection, merchant_id: str, card_id: str) -> list[str]:
    """Ids of every coupon of a card."""
    key = {"merchant_id": merchant_id, "card_id": card_id}
    return list(connection.execute(_IDS_OF_CARD, key).scalars())
