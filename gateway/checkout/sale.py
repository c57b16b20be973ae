"""Quotes, holds and captures in one call. See docs/rules/checkout.md, rule 12."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from gateway.checkout import checkouts_sql
from gateway.checkout.capture import CheckoutCaptured, captured_of, finish_capture
from gateway.checkout.carts import CartAsked, number_problems
from gateway.checkout.desk import Desk
from gateway.checkout.opening import begin, new_checkout, paid, paid_columns, refuse
from gateway.checkout.quote import Quoted, check_funds, check_version, quote
from gateway.checkout.release import begin_release, finish_release
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import CheckoutState
from gateway.checkout.taking import take_or_give_up
from kernel.callers import Caller
from kernel.refusals import Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class Checkout:
    """Asks to sell a cart at once; `quote_version` None takes what it costs."""

    request_id: str
    cart: CartAsked
    order_no: str
    quote_version: str | None = None


async def checkout(desk: Desk, caller: Caller, command: Checkout) -> CheckoutCaptured:
    """Sells a cart.

    A number that this very sale already has gets the sale that stands.

    Raises:
        OrderConflict: the merchant has another order under this number.
        Refusal: those of `hold`.
        RequestInProgress: it is being booked, or somebody needed did not answer; repeat it.
    """
    key = request_key(caller, "checkout", command)
    answer = await desk.running.once(key, lambda: _checkout(desk, caller, command, key))
    return captured_of(answer)


async def _checkout(desk: Desk, caller: Caller, command: Checkout, key: RequestKey) -> Answer:
    begun: Answer | SavedCheckout
    try:
        quoted = await quote(
            desk, caller, command.cart, also=number_problems("orderNo", command.order_no)
        )
        is_booked = await _accept(desk, quoted, command, key)
    except Refusal as refusal:
        begun = await refuse(desk, key, refusal)
    else:
        opened = new_checkout(desk, key, quoted)
        if is_booked or not opened.needs_anything:
            opened = paid(desk, opened, command.order_no)
        # Occupied before it is kept: a sweeper must not find it alone.
        async with desk.running.occupying(opened.id, is_new=True):
            begun = await begin(desk, key, opened)
            if begun is opened:
                return await _finish(desk, opened, command, key)
    if isinstance(begun, Answer):
        return begun
    async with desk.running.occupying(begun.id):
        return await _finish(desk, begun, command, key)


async def _accept(desk: Desk, quoted: Quoted, command: Checkout, key: RequestKey) -> bool:
    """Whether the merchant has an order under this number; else the cart must be fit to sell.

    Only a sale that needs something is looked up before: any other is found by being placed.
    """
    cart = quoted.cart
    try:
        check_funds(quoted)
        check_version(quoted, command.quote_version)
    except Refusal:
        if await desk.backend.order_by_no(cart.merchant_id, command.order_no) is None:
            raise
        return True
    if not new_checkout(desk, key, quoted).needs_anything:
        return False
    return await desk.backend.order_by_no(cart.merchant_id, command.order_no) is not None


async def _finish(
    desk: Desk, checkout: SavedCheckout, command: Checkout, key: RequestKey
) -> Answer:
    desk.reach("checkout.begun")
    if checkout.state is CheckoutState.OPENING:
        await take_or_give_up(desk, checkout, key)
        desk.reach("checkout.taken")
    if checkout.state in (CheckoutState.OPENING, CheckoutState.HELD):
        checkout = await _mark_paid(desk, checkout, command.order_no)
        desk.reach("checkout.paid")
    try:
        return await finish_capture(desk, checkout, key=key)
    except RequestInProgress:
        raise
    except Refusal:
        await _let_go(desk, checkout)
        raise


async def _mark_paid(desk: Desk, checkout: SavedCheckout, order_no: str) -> SavedCheckout:
    following = paid(desk, checkout, order_no)
    moved = await desk.database.transaction(
        lambda connection: checkouts_sql.move(
            connection,
            checkout.id,
            checkout.state,
            CheckoutState.CAPTURING,
            **paid_columns(following),
        )
    )
    if not moved:
        raise RequestInProgress
    return following


async def _let_go(desk: Desk, checkout: SavedCheckout) -> None:
    """Gives back what a sale took that its backend refused."""
    held = dataclasses.replace(checkout, state=CheckoutState.HELD)
    if await desk.database.transaction(lambda connection: begin_release(connection, held)):
        await finish_release(desk, dataclasses.replace(held, state=CheckoutState.RELEASING))
