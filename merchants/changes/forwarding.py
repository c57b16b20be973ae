"""A member passes its own coupons on, and takes them back. One answer per request id."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.clock import from_micros
from kernel.graphql import format_datetime
from kernel.requests import Answer
from merchants.changes.answering import answer_once, merchant_of_id
from merchants.hosted import HostedBackend
from merchants.sharing.share_codes import share_coupon, take_back_coupon
from merchants.sharing.sharing_sql import read_share


class Forwarding:
    """Use cases of a member with its own coupons.

    Args:
        card_id: the member's card.
    """

    def __init__(self, backend: HostedBackend, caller: Caller, *, card_id: str) -> None:
        self._backend = backend
        self._caller = caller
        self._card_id = card_id

    async def share(self, coupon_id: str, *, request_id: str, body: object) -> Answer:
        """The outcome: `merchantId`, `couponId`, `shareCode` and `expiresAt`.

        Refuses NotFound, CouponNotShareable.
        """
        backend, now = self._backend, self._backend.clock.now()
        zone = backend.settings().facts.zone

        def work(connection: Connection) -> dict[str, Any]:
            merchant_id = merchant_of_id(coupon_id, "cpn")
            code = share_coupon(
                connection,
                merchant_id=merchant_id,
                coupon_id=coupon_id,
                card_id=self._card_id,
                now=now,
                zone=zone,
                ids=backend.ids,
            )
            share = read_share(connection, merchant_id=merchant_id, share_code=code)
            assert share is not None
            return {
                "merchantId": merchant_id,
                "couponId": coupon_id,
                "shareCode": code,
                "expiresAt": format_datetime(from_micros(share.ends_at)),
            }

        return await answer_once(
            backend, self._caller, "shareCoupon", request_id=request_id, body=body, work=work
        )

    async def take_back(self, coupon_id: str, *, request_id: str, body: object) -> Answer:
        """The outcome: `merchantId` and `couponId`.

        Refuses NotFound, CouponNotShareable.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            merchant_id = merchant_of_id(coupon_id, "cpn")
            take_back_coupon(
                connection,
                merchant_id=merchant_id,
                coupon_id=coupon_id,
                card_id=self._card_id,
                now=now,
            )
            return {"merchantId": merchant_id, "couponId": coupon_id}

        return await answer_once(
            self._backend,
            self._caller,
            "takeBackCoupon",
            request_id=request_id,
            body=body,
            work=work,
        )
