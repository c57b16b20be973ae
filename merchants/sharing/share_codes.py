"""Passing a coupon on: a member opens a share code, a friend claims it, once.

Source: docs/rules/coupons.md, rules 22 to 25.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import IdSource, derived_id_within
from kernel.refusals import NotFound
from merchants.coupons.coupons_sql import HeldCoupon, insert_coupons, read_coupons
from merchants.coupons.issuing import cards_at_limit, coupon_code
from merchants.coupons.shown_sql import show_coupons
from merchants.coupons.templates import CouponState
from merchants.coupons.templates_sql import count_issued, read_template
from merchants.port import ClaimCoupon, Claimed
from merchants.refusals import CouponNotShareable, ShareNotClaimable
from merchants.registry_sql import read_member_cards
from merchants.sharing.sharing_sql import (
    Share,
    close_share,
    count_claimed,
    count_shared,
    hand_over,
    open_share,
    read_share,
    write_claimed,
)

SHARES_PER_DAY_MAX = 10
CLAIMS_PER_DAY_MAX = 5


class NotShareableReason(StrEnum):
    """Why a coupon can not be passed on, or taken back."""

    NOT_FORWARDABLE = "NOT_FORWARDABLE"
    PASSED_ON_BEFORE = "PASSED_ON_BEFORE"
    NOT_FREE = "NOT_FREE"
    DAILY_LIMIT = "DAILY_LIMIT"
    NOT_SHARED = "NOT_SHARED"
    CLAIMED = "CLAIMED"


class NotClaimableReason(StrEnum):
    """Why a share code gives no coupon."""

    CLAIMED = "CLAIMED"
    TAKEN_BACK = "TAKEN_BACK"
    EXPIRED = "EXPIRED"
    OWN_COUPON = "OWN_COUPON"
    NEW_MEMBERS_ONLY = "NEW_MEMBERS_ONLY"
    DAILY_LIMIT = "DAILY_LIMIT"
    MEMBER_LIMIT = "MEMBER_LIMIT"
    HOLDER_FROZEN = "HOLDER_FROZEN"


def share_coupon(
    connection: Connection,
    *,
    merchant_id: str,
    coupon_id: str,
    card_id: str,
    now: datetime,
    zone: ZoneInfo,
    ids: IdSource,
) -> str:
    """The code that gives the coupon to whoever claims it first.

    Raises:
        NotFound: the card has no such coupon.
        CouponNotShareable: its template forbids it, it was passed on before, it is not free, or
            the card passed on enough for a day.
    """
    coupon = _own(connection, merchant_id, coupon_id, card_id)
    at = to_micros(now)
    if not coupon.draft.shareable:
        raise CouponNotShareable(NotShareableReason.NOT_FORWARDABLE)
    if coupon.passed_from is not None:
        raise CouponNotShareable(NotShareableReason.PASSED_ON_BEFORE)
    since = day_start(now, zone)
    shared = count_shared(connection, merchant_id=merchant_id, card_id=card_id, since=since)
    if shared >= SHARES_PER_DAY_MAX:
        raise CouponNotShareable(NotShareableReason.DAILY_LIMIT)
    ends_at = to_micros(now + timedelta(days=coupon.life.share_days))
    share = Share(
        merchant_id=merchant_id,
        # Two random ids, hashed: the code tells neither when it was made nor which came before.
        share_code=derived_id_within("shr", merchant_id, ids.new("rnd"), ids.new("rnd")),
        coupon_id=coupon_id,
        card_id=card_id,
        ends_at=min(ends_at, coupon.valid_until),
        claimed_by=None,
        claimed_coupon_id=None,
        taken_back_at=None,
    )
    if coupon.state_at(at) is not CouponState.ISSUED or not open_share(connection, share, at=at):
        raise CouponNotShareable(NotShareableReason.NOT_FREE)
    return share.share_code


def take_back_coupon(
    connection: Connection, *, merchant_id: str, coupon_id: str, card_id: str, now: datetime
) -> None:
    """The coupon is its holder's again, and its share code worth nothing.

    Raises:
        NotFound: the card has no such coupon.
        CouponNotShareable: somebody claimed it, or it was never shared.
    """
    coupon = _own(connection, merchant_id, coupon_id, card_id)
    if coupon.share_code is not None and close_share(
        connection,
        merchant_id=merchant_id,
        coupon_id=coupon_id,
        card_id=card_id,
        share_code=coupon.share_code,
        at=to_micros(now),
    ):
        return
    is_claimed = coupon.state is CouponState.TRANSFERRED
    raise CouponNotShareable(
        NotShareableReason.CLAIMED if is_claimed else NotShareableReason.NOT_SHARED
    )


def claim_coupon(
    connection: Connection, claim: ClaimCoupon, *, now: datetime, zone: ZoneInfo, ids: IdSource
) -> Claimed:
    """The claimant's own coupon: claimed now, or by the same card before.

    Raises:
        NotFound: there is no such code, or the card has not joined.
        ShareNotClaimable: it was claimed, taken back, or is over; it is the claimant's own; it is
            for new members; or the claimant has enough.
    """
    share = read_share(connection, merchant_id=claim.merchant_id, share_code=claim.share_code)
    if share is None:
        raise NotFound(claim.share_code)
    if share.claimed_by == claim.card_id and share.claimed_coupon_id is not None:
        return Claimed(replayed=True, coupon_id=share.claimed_coupon_id)
    if not read_member_cards(connection, claim.merchant_id, [claim.card_id]):
        raise NotFound(claim.card_id)
    coupon = read_coupons(connection, [(share.merchant_id, share.coupon_id)])[
        (share.merchant_id, share.coupon_id)
    ]
    at = to_micros(now)
    closed = why_closed(share, at=at)
    if coupon.state is CouponState.VOID:
        closed = NotClaimableReason.TAKEN_BACK
    if closed is not None:
        raise ShareNotClaimable(closed)
    _refuse_claimant(connection, claim, share, coupon, since=day_start(now, zone))
    if not hand_over(connection, share, at=at):
        raise ShareNotClaimable(NotClaimableReason.CLAIMED)
    coupon_id = ids.new_within("cpn", claim.merchant_id)
    insert_coupons(connection, [_passed_on(coupon, coupon_id, claim.card_id, at=at)])
    write_claimed(connection, share, card_id=claim.card_id, claimed_coupon_id=coupon_id, at=at)
    if claim.at_merchant_id is not None and claim.at_merchant_id != claim.merchant_id:
        show_coupons(connection, claim.merchant_id, [coupon_id], to=claim.at_merchant_id)
    return Claimed(replayed=False, coupon_id=coupon_id)


def why_closed(share: Share, *, at: int) -> NotClaimableReason | None:
    """Why a share gives no coupon at that instant (microseconds); None while it does."""
    if share.claimed_by is not None:
        return NotClaimableReason.CLAIMED
    if share.taken_back_at is not None:
        return NotClaimableReason.TAKEN_BACK
    return NotClaimableReason.EXPIRED if share.ends_at <= at else None


def day_start(now: datetime, zone: ZoneInfo) -> int:
    """When the alliance's day began, microseconds."""
    local = now.astimezone(zone)
    return to_micros(local.replace(hour=0, minute=0, second=0, microsecond=0))


def _refuse_claimant(
    connection: Connection, claim: ClaimCoupon, share: Share, coupon: HeldCoupon, *, since: int
) -> None:
    """Accepts who may have the coupon.

    The template is held from here to the end of the transaction, so that what the claimant has
    is exact however many claims run at once.
    """
    key = {"merchant_id": claim.merchant_id, "card_id": claim.card_id}
    if share.card_id == claim.card_id:
        raise ShareNotClaimable(NotClaimableReason.OWN_COUPON)
    if coupon.life.share_new_members_only and not claim.is_new_member:
        raise ShareNotClaimable(NotClaimableReason.NEW_MEMBERS_ONLY)
    template = read_template(
        connection, merchant_id=claim.merchant_id, template_id=coupon.template_id
    )
    assert template is not None
    count_issued(
        connection, merchant_id=claim.merchant_id, template_id=template.template_id, count=0
    )
    if count_claimed(connection, since=since, **key) >= CLAIMS_PER_DAY_MAX:
        raise ShareNotClaimable(NotClaimableReason.DAILY_LIMIT)
    if cards_at_limit(connection, template, [claim.card_id]):
        raise ShareNotClaimable(NotClaimableReason.MEMBER_LIMIT)


def _own(connection: Connection, merchant_id: str, coupon_id: str, card_id: str) -> HeldCoupon:
    coupon = read_coupons(connection, [(merchant_id, coupon_id)]).get((merchant_id, coupon_id))
    if coupon is None or coupon.card_id != card_id:
        raise NotFound(coupon_id)
    return coupon


def _passed_on(coupon: HeldCoupon, coupon_id: str, card_id: str, *, at: int) -> dict[str, object]:
    """The claimant's copy: it begins and ends as the first one did."""
    return {
        "merchant_id": coupon.merchant_id,
        "coupon_id": coupon_id,
        "template_id": coupon.template_id,
        "card_id": card_id,
        "code": coupon_code(coupon_id),
        "valid_from": coupon.valid_from,
        "valid_until": coupon.valid_until,
        "issued_at": at,
        "passed_from": coupon.coupon_id,
    }
