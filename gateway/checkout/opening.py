"""Begins a checkout for a request, or finds the one that the request began before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import checkouts_sql
from gateway.checkout.desk import Desk
from gateway.checkout.lifetimes import lifetime_of
from gateway.checkout.quote import Quoted
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import HOLD_SECONDS, CheckoutState
from kernel.clock import from_micros, to_micros
from kernel.refusals import Refusal, RequestInProgress
from kernel.requests import Answer, RequestKey

_GIVEN_BACK = (CheckoutState.RELEASING, CheckoutState.RELEASED)


def request_name(key: RequestKey) -> str:
    """Names a request in `SavedCheckout.opened_by`."""
    return "\n".join((key.caller, key.operation, key.request_id))


def sale_request(opened_by: str | None) -> RequestKey | None:
    """The `checkout` request of a name, to be answered; None when another operation opened it."""
    caller, operation, request_id = (opened_by or "\n\n").split("\n", 2)
    return RequestKey(caller, operation, request_id, "") if operation == "checkout" else None


def new_checkout(desk: Desk, key: RequestKey, quoted: Quoted) -> SavedCheckout:
    """A checkout that begins with nothing held."""
    now = desk.clock.now()
    checkout_id = desk.ids.new("chk")
    return SavedCheckout(
        id=checkout_id,
        state=CheckoutState.OPENING,
        opened_by=request_name(key),
        attempt_id=desk.ids.new("att"),
        cart=quoted.cart,
        agreed=quoted.priced,
        order_id=desk.ids.new_within("ord", quoted.cart.merchant_id),
        opened_at=now,
        expires_at=from_micros(to_micros(now) + HOLD_SECONDS * 1_000_000),
    )


def paid(desk: Desk, checkout: SavedCheckout, order_no: str) -> SavedCheckout:
    """The checkout once the customer paid, now."""
    paid_at = desk.clock.now()
    lifetime = lifetime_of(paid_at, desk.lifetime_terms(checkout.cart.channel))
    return replace(
        checkout,
        state=CheckoutState.CAPTURING,
        order_no=order_no,
        paid_at=paid_at,
        points_active_at=lifetime.active_at,
        points_expire_at=lifetime.expires_at,
    )


def paid_columns(checkout: SavedCheckout) -> dict[str, Any]:
    """What `paid` set, as the table holds it."""
    assert checkout.paid_at is not None
    assert checkout.points_active_at is not None
    expire_at = checkout.points_expire_at
    return {
        "order_no": checkout.order_no,
        "paid_at": to_micros(checkout.paid_at),
        "points_active_at": to_micros(checkout.points_active_at),
        "points_expire_at": None if expire_at is None else to_micros(expire_at),
    }


async def begin(
    desk: Desk, key: RequestKey, checkout: SavedCheckout, *, outcome: dict[str, Any] | None = None
) -> Answer | SavedCheckout:
    """The kept answer; or the checkout that this request works on from here.

    That is `checkout`, or the one that the request began before this process did.

    Whoever occupies `checkout` has its lease from here.

    Args:
        outcome: the request's answer when nothing but keeping the checkout is to be done.
    """
    now, owner = desk.clock.now(), desk.running.process

    def work(connection: Connection) -> Answer | SavedCheckout:
        answer = REQUESTS.claim(connection, key, now=now, owner=owner)
        if answer is not None:
            return answer
        if not checkouts_sql.insert_checkout(connection, checkout):
            existing = _unanswered(connection, request_name(key))
            if existing is not None:
                return existing
            kept = checkouts_sql.insert_checkout(connection, checkout)
            assert kept, "its request began no other"
        desk.running.leases.take_within(connection, checkout.id, now=now)
        if outcome is not None:
            REQUESTS.settle(connection, key, outcome)
        return checkout

    return await desk.database.transaction(work)


async def refuse(desk: Desk, key: RequestKey, refusal: Refusal) -> Answer | SavedCheckout:
    """The answer to a request that is refused before it began anything.

    A repeat gets the answer kept first, or goes on with the checkout that it began before,
    whatever the alliance would say to it by now.

    Raises:
        Refusal: `refusal` itself, when a later try may be answered otherwise.
    """
    now, owner = desk.clock.now(), desk.running.process

    def work(connection: Connection) -> Answer | SavedCheckout:
        answer = REQUESTS.claim(connection, key, now=now, owner=owner)
        if answer is not None:
            return answer
        existing = _unanswered(connection, request_name(key))
        if existing is not None:
            return existing
        if refusal.retryable:
            raise refusal
        REQUESTS.settle(connection, key, refusal.as_json())
        return Answer(refusal.as_json(), replayed=False)

    return await desk.database.transaction(work)


def _unanswered(connection: Connection, opened_by: str) -> SavedCheckout | None:
    """The request's checkout that still can be finished; one given back is let go of."""
    existing = checkouts_sql.read_opened_by(connection, opened_by)
    if existing is None or existing.state not in _GIVEN_BACK:
        return existing
    if not checkouts_sql.change(connection, existing.id, existing.state, opened_by=None):
        raise RequestInProgress
    return None
