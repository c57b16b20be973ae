"""Holds what a cart needs while the customer pays. See docs/rules/checkout.md, rules 2, 3, 7."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import checkouts_sql
from gateway.checkout.carts import CartAsked
from gateway.checkout.desk import Desk
from gateway.checkout.opening import begin, new_checkout, refuse
from gateway.checkout.quote import check_funds, check_version, quote
from gateway.checkout.refusals import CheckoutClosed, ExtensionUsed
from gateway.checkout.rights import own_checkout
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import EXTENDED_SECONDS, CheckoutState
from gateway.checkout.taking import take_or_give_up
from kernel.callers import Caller
from kernel.clock import to_micros
from kernel.refusals import Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class HoldCheckout:
    """Asks to hold what a cart needs."""

    request_id: str
    cart: CartAsked
    quote_version: str


@dataclass(frozen=True, slots=True)
class ExtendCheckout:
    """Asks for more time."""

    request_id: str
    checkout_id: str


@dataclass(frozen=True, slots=True)
class CheckoutHeld:
    """Coupons, points and coins are held, or have more time."""

    checkout_id: str
    replayed: bool


async def hold(desk: Desk, caller: Caller, command: HoldCheckout) -> CheckoutHeld:
    """Holds coupons, points and coins.

    Raises:
        QuoteStale: the cart costs something else than the version says.
        CouponTaken, InsufficientPoints, InsufficientCoins, DebtOpen: something cannot be had.
        Refusal: those of `quote` and of `kernel.requests`.
        DatabaseUnavailable, Overloaded: somebody needed does not answer; nothing is held.
    """
    key = request_key(caller, "holdCheckout", command)
    answer = await desk.running.once(key, lambda: _hold(desk, caller, command, key))
    return CheckoutHeld(answer.success()["checkout_id"], answer.replayed)


async def _hold(desk: Desk, caller: Caller, command: HoldCheckout, key: RequestKey) -> Answer:
    begun: Answer | SavedCheckout
    try:
        quoted = await quote(desk, caller, command.cart)
        check_funds(quoted)
        check_version(quoted, command.quote_version)
    except Refusal as refusal:
        begun = await refuse(desk, key, refusal)
    else:
        checkout = new_checkout(desk, key, quoted)
        # Occupied before it is kept: a sweeper must not find it alone.
        async with desk.running.occupying(checkout.id, is_new=True):
            begun = await _begin(desk, key, checkout)
            if begun is checkout:
                return await _open(desk, checkout, key)
    if isinstance(begun, Answer):
        return begun
    async with desk.running.occupying(begun.id):
        return await _open(desk, begun, key)


async def _begin(desk: Desk, key: RequestKey, checkout: SavedCheckout) -> Answer | SavedCheckout:
    if checkout.needs_anything:
        return await begin(desk, key, checkout)
    held = dataclasses.replace(checkout, state=CheckoutState.HELD, opened_by=None)
    begun = await begin(desk, key, held, outcome=_outcome(held))
    if begun is not held:
        return begun
    _start_waiting(desk, held)
    return Answer(_outcome(held), replayed=False)


async def _open(desk: Desk, checkout: SavedCheckout, key: RequestKey) -> Answer:
    desk.reach("hold.begun")
    await take_or_give_up(desk, checkout, key)
    outcome = _outcome(checkout)

    def work(connection: Connection) -> bool:
        if not checkouts_sql.move(
            connection, checkout.id, CheckoutState.OPENING, CheckoutState.HELD, opened_by=None
        ):
            return False
        REQUESTS.settle(connection, key, outcome)
        return True

    if not await desk.database.transaction(work):
        raise RequestInProgress
    _start_waiting(desk, checkout)
    desk.reach("hold.settled")
    return Answer(outcome, replayed=False)


def _outcome(checkout: SavedCheckout) -> dict[str, Any]:
    return {"checkout_id": checkout.id}


def _start_waiting(desk: Desk, checkout: SavedCheckout) -> None:
    desk.time_outs.seconds_left(
        checkout.id, monotonic=desk.clock.monotonic(), is_extended=checkout.is_extended
    )


async def extend(desk: Desk, caller: Caller, command: ExtendCheckout) -> CheckoutHeld:
    """Gives a held checkout 15 minutes in all, once.

    Raises:
        ExtensionUsed: it had its extension.
        CheckoutClosed: it is not held any more.
        NotFound: no such checkout for this caller.
        Refusal: those of `kernel.requests`.
    """
    key = request_key(caller, "extendCheckout", command)
    now = desk.clock.now()

    def decide(connection: Connection) -> dict[str, Any]:
        checkout = own_checkout(connection, caller, command.checkout_id)
        if checkout.state is not CheckoutState.HELD:
            raise CheckoutClosed(checkout_id=checkout.id)
        if checkout.is_extended:
            raise ExtensionUsed(checkout_id=checkout.id)
        checkouts_sql.change(
            connection,
            checkout.id,
            CheckoutState.HELD,
            is_extended=1,
            expires_at=to_micros(checkout.opened_at) + EXTENDED_SECONDS * 1_000_000,
        )
        return _outcome(checkout)

    answer = await desk.database.transaction(
        lambda connection: REQUESTS.answer_once(
            connection, key, now=now, work=lambda: decide(connection)
        )
    )
    return CheckoutHeld(answer.success()["checkout_id"], answer.replayed)
