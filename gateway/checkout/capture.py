"""Books what the customer paid for. See docs/rules/checkout.md, rules 8 and 9.

The backend's order is the commit point. From CAPTURING on nothing is given back: whatever does
not answer is asked again, by a repeat of the request or by a sweeper.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import checkouts_sql, stuck_sql
from gateway.checkout.booking import book_sale
from gateway.checkout.carts import number_problems
from gateway.checkout.desk import UNANSWERED, Desk
from gateway.checkout.late import absorbed_funds_minor, earning_nothing, take_anew
from gateway.checkout.opening import paid, paid_columns, sale_request
from gateway.checkout.release import finish_release, give_back
from gateway.checkout.rights import own_checkout
from gateway.checkout.saved import SavedCheckout, cart_json, priced_json
from gateway.checkout.states import CheckoutState
from kernel.callers import Caller
from kernel.database import Isolation
from kernel.refusals import InvalidInput, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from merchants.port import Event, Placed, PlaceOrder
from merchants.refusals import BackendAttemptReleased, OrderConflict


@dataclass(frozen=True, slots=True)
class CaptureCheckout:
    """Tells that the customer paid."""

    request_id: str
    checkout_id: str
    order_no: str


@dataclass(frozen=True, slots=True)
class CheckoutCaptured:
    """The order stands.

    Attributes:
        card_id, membership_id: None for an anonymous buyer.
        absorbed_minor: what could not be re-acquired, borne by the merchant.
    """

    order_id: str
    merchant_id: str
    card_id: str | None
    membership_id: str | None
    absorbed_minor: int
    replayed: bool


async def capture(desk: Desk, caller: Caller, command: CaptureCheckout) -> CheckoutCaptured:
    """Books the sale of a checkout, a released one too: a paid sale never un-happens.

    Raises:
        OrderConflict: the merchant has another order under this number, or the checkout became
            an order with another number.
        NotFound: no such checkout for this caller.
        InvalidInput: the number or the request id is beyond its limits.
        RequestInProgress: it is being booked, or somebody needed did not answer; repeat it.
        RequestIdReused: the request id came with another input.
    """
    key = request_key(caller, "captureCheckout", command)
    answer = await desk.running.once(key, lambda: _capture(desk, caller, command, key))
    return captured_of(answer)


def captured_of(answer: Answer) -> CheckoutCaptured:
    """What a capture's kept answer tells.

    Raises:
        Refusal: it was refused.
    """
    return CheckoutCaptured(**answer.success(), replayed=answer.replayed)


async def _capture(desk: Desk, caller: Caller, command: CaptureCheckout, key: RequestKey) -> Answer:
    async with desk.running.occupying(command.checkout_id):
        begun = await _begin_capture(desk, caller, command, key)
        if isinstance(begun, Answer):
            return begun
        if begun.state is CheckoutState.RELEASING:
            await finish_release(desk, begun)
            begun = await _begin_capture(desk, caller, command, key)
            if isinstance(begun, Answer):
                return begun
        desk.reach("capture.begun")
        if begun.order_no == command.order_no:
            return await finish_capture(desk, begun, key=key)
        # An earlier capture under another number was cut off: finish that one, then refuse.
        await finish_capture(desk, begun)
        again = await _begin_capture(desk, caller, command, key)
        if isinstance(again, Answer):
            return again
        return await finish_capture(desk, again, key=key)


async def _begin_capture(
    desk: Desk, caller: Caller, command: CaptureCheckout, key: RequestKey
) -> Answer | SavedCheckout:
    """The kept answer, or the checkout: CAPTURING, or RELEASING and to be released first."""
    problems = number_problems("orderNo", command.order_no)
    now, owner, attempt_id = desk.clock.now(), desk.running.process, desk.ids.new("att")

    def settle(connection: Connection, outcome: dict[str, Any]) -> Answer:
        REQUESTS.settle(connection, key, outcome)
        return Answer(outcome, replayed=False)

    def work(connection: Connection) -> Answer | SavedCheckout:
        answer = REQUESTS.claim(connection, key, now=now, owner=owner)
        if answer is not None:
            return answer
        if problems:
            return settle(connection, InvalidInput(problems).as_json())
        checkout = own_checkout(connection, caller, command.checkout_id)
        if checkout.state is CheckoutState.CAPTURED:
            if checkout.order_no == command.order_no:
                return settle(connection, outcome_of(checkout))
            conflict = OrderConflict(order_id=checkout.order_id, merchant_id=checkout.merchant_id)
            return settle(connection, conflict.as_json())
        if checkout.state is CheckoutState.OPENING:
            raise RequestInProgress
        if checkout.state in (CheckoutState.HELD, CheckoutState.RELEASED):
            return _mark_paid(connection, desk, checkout, command.order_no, attempt_id)
        return checkout

    return await desk.database.transaction(work)


def _mark_paid(
    connection: Connection, desk: Desk, checkout: SavedCheckout, order_no: str, attempt_id: str
) -> SavedCheckout:
    following = paid(desk, checkout, order_no)
    changes = paid_columns(following)
    if checkout.state is CheckoutState.RELEASED:
        following = dataclasses.replace(following, attempt_id=attempt_id, lacks_locks=True)
        changes |= {"attempt_id": attempt_id, "lacks_locks": 1}
        merchant = desk.directory.merchant(checkout.merchant_id)
        if merchant is None or merchant.is_leaving:
            following = earning_nothing(following)
            changes["cart"] = cart_json(following.cart)
            changes["agreed"] = priced_json(following.agreed)
    moved = checkouts_sql.move(
        connection, checkout.id, checkout.state, CheckoutState.CAPTURING, **changes
    )
    assert moved
    return following


def outcome_of(checkout: SavedCheckout) -> dict[str, Any]:
    """A captured checkout as its request's kept answer."""
    return {
        "order_id": checkout.order_id,
        "merchant_id": checkout.merchant_id,
        "card_id": checkout.card_id,
        "membership_id": checkout.cart.membership_id,
        "absorbed_minor": checkout.absorbed_minor,
    }


async def finish_capture(
    desk: Desk, checkout: SavedCheckout, *, key: RequestKey | None = None
) -> Answer:
    """Takes a CAPTURING checkout to CAPTURED; every step may be repeated.

    Args:
        key: the request that is answered by this.

    Raises:
        RequestInProgress: somebody needed did not answer.
        Refusal: the backend says that nothing of the attempt stands; it is HELD again.
    """
    try:
        checkout, placed = await _place_paid(desk, checkout)
    except UNANSWERED as error:
        raise RequestInProgress from error
    except Refusal as refusal:
        await _hold_again(desk, checkout, key=key, refusal=refusal)
        raise
    desk.reach("capture.placed")
    try:
        absorbed_minor = await _book(desk, checkout, placed)
    except UNANSWERED as error:
        raise RequestInProgress from error
    captured = dataclasses.replace(
        checkout,
        state=CheckoutState.CAPTURED,
        order_id=placed.order.id,
        absorbed_minor=checkout.absorbed_minor + placed.absorbed_minor + absorbed_minor,
    )
    return await _settle(desk, captured, key, event=placed.event)


async def _place_paid(desk: Desk, checkout: SavedCheckout) -> tuple[SavedCheckout, Placed]:
    checkout = await take_anew(desk, checkout)
    try:
        return checkout, await _place(desk, checkout)
    except BackendAttemptReleased:
        # Whoever released it, the customer has paid: the sale stands by another attempt.
        checkout = await take_anew(desk, await _begin_anew(desk, checkout))
        return checkout, await _place(desk, checkout)


async def _begin_anew(desk: Desk, checkout: SavedCheckout) -> SavedCheckout:
    await give_back(desk, checkout)
    attempt_id = desk.ids.new("att")
    await desk.database.transaction(
        lambda connection: checkouts_sql.change(
            connection,
            checkout.id,
            CheckoutState.CAPTURING,
            attempt_id=attempt_id,
            lacks_locks=1,
        )
    )
    return dataclasses.replace(checkout, attempt_id=attempt_id, lacks_locks=True)


async def _place(desk: Desk, checkout: SavedCheckout) -> Placed:
    assert checkout.order_no is not None
    assert checkout.paid_at is not None
    return await desk.backend.place(
        PlaceOrder(
            merchant_id=checkout.merchant_id,
            attempt_id=checkout.attempt_id,
            order_id=checkout.order_id,
            order_no=checkout.order_no,
            cart=checkout.cart,
            version=checkout.agreed.version,
            paid_at=checkout.paid_at,
            agreed=checkout.agreed,
        )
    )


async def _book(desk: Desk, checkout: SavedCheckout, placed: Placed) -> int:
    """Books the order that stands; minor units that the merchant absorbs in the ledger."""
    event = placed.event
    if event.attempt_id == checkout.attempt_id:
        return absorbed_funds_minor(checkout.agreed, await book_sale(desk, event, checkout))
    # The merchant's number had this very sale already: it stands once, and by the other attempt.
    await give_back(desk, checkout)
    attempts = [] if event.attempt_id is None else [event.attempt_id]
    sellers = await desk.database.snapshot(
        lambda connection: checkouts_sql.read_by_attempts(connection, attempts)
    )
    await book_sale(desk, event, next(iter(sellers.values()), None))
    return 0


async def _settle(
    desk: Desk, captured: SavedCheckout, key: RequestKey | None, *, event: Event
) -> Answer:
    outcome = outcome_of(captured)
    # Whoever finishes a sale that was cut off answers the request that began it, too.
    answered = key or sale_request(captured.opened_by)

    def work(connection: Connection) -> None:
        checkouts_sql.move(
            connection,
            captured.id,
            CheckoutState.CAPTURING,
            CheckoutState.CAPTURED,
            order_id=captured.order_id,
            absorbed_minor=captured.absorbed_minor,
            opened_by=None,
        )
        if answered is not None:
            REQUESTS.settle(connection, answered, outcome)
        stuck_sql.forget(connection, event.id)
        desk.running.leases.give_back_within(connection, captured.id)

    # Each write is of one row that names the state it was in or its event; nothing else is read.
    await desk.database.transaction(work, isolation=Isolation.READ_COMMITTED, is_idempotent=True)
    desk.running.was_given_back(captured.id)
    desk.time_outs.forget(captured.id)
    desk.reach("capture.settled")
    return Answer(outcome, replayed=False)


async def _hold_again(
    desk: Desk, checkout: SavedCheckout, *, key: RequestKey | None, refusal: Refusal
) -> None:
    def work(connection: Connection) -> None:
        checkouts_sql.move(
            connection,
            checkout.id,
            CheckoutState.CAPTURING,
            CheckoutState.HELD,
            order_no=None,
            paid_at=None,
        )
        if key is not None and not refusal.retryable:
            REQUESTS.settle(connection, key, refusal.as_json())

    await desk.database.transaction(work)
    desk.reach("capture.refused")
