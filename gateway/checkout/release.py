"""Gives back what a checkout holds. See docs/rules/checkout.md, rules 3 and 8."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout import checkouts_sql
from gateway.checkout.desk import Desk
from gateway.checkout.opening import request_name
from gateway.checkout.refusals import CheckoutClosed
from gateway.checkout.rights import own_checkout
from gateway.checkout.running import all_done
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import CheckoutState
from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from kernel.callers import Caller
from kernel.refusals import Refusal
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from ledger.contract import ReleaseFunds
from merchants.port import ReleaseAttempt


@dataclass(frozen=True, slots=True)
class ReleaseCheckout:
    """Asks to give back what a checkout holds."""

    request_id: str
    checkout_id: str


@dataclass(frozen=True, slots=True)
class CheckoutReleased:
    """What the checkout held is free again."""

    checkout_id: str
    replayed: bool


async def release(desk: Desk, caller: Caller, command: ReleaseCheckout) -> CheckoutReleased:
    """Gives back what a held checkout holds.

    Raises:
        CheckoutClosed: it was captured, is being captured, or was released.
        NotFound: no such checkout for this caller.
        InvalidInput: the request id is beyond its limits.
        RequestIdReused, RequestInProgress: see `kernel.requests`.
    """
    key = request_key(caller, "releaseCheckout", command)
    answer = await desk.running.once(key, lambda: _release(desk, caller, command, key))
    return CheckoutReleased(answer.success()["checkout_id"], answer.replayed)


async def _release(desk: Desk, caller: Caller, command: ReleaseCheckout, key: RequestKey) -> Answer:
    async with desk.running.occupying(command.checkout_id):
        now, owner, name = desk.clock.now(), desk.running.process, request_name(key)
        outcome = {"checkout_id": command.checkout_id}

        def work(connection: Connection) -> Answer | SavedCheckout:
            answer = REQUESTS.claim(connection, key, now=now, owner=owner)
            if answer is not None:
                return answer
            checkout = own_checkout(connection, caller, command.checkout_id)
            if checkout.state is CheckoutState.RELEASING:
                return checkout
            if checkout.state is CheckoutState.RELEASED and checkout.opened_by == name:
                # This request was cut off, and a sweeper finished it.
                REQUESTS.settle(connection, key, outcome)
                return Answer(outcome, replayed=False)
            if checkout.state not in (CheckoutState.OPENING, CheckoutState.HELD):
                refusal = CheckoutClosed(checkout_id=checkout.id)
                REQUESTS.settle(connection, key, refusal.as_json())
                return Answer(refusal.as_json(), replayed=False)
            begin_release(connection, checkout, released_by=name)
            return replace(checkout, state=CheckoutState.RELEASING)

        begun = await desk.database.transaction(work)
        if isinstance(begun, Answer):
            return begun
        desk.reach("release.begun")
        await finish_release(desk, begun, key=key, outcome=outcome)
        return Answer(outcome, replayed=False)


def begin_release(
    connection: Connection, checkout: SavedCheckout, *, released_by: str | None = None
) -> bool:
    """Takes an opening or held checkout to RELEASING; False when it was decided meanwhile.

    Args:
        released_by: names the request that shall be answered once it is released.
    """
    return checkouts_sql.move(
        connection, checkout.id, checkout.state, CheckoutState.RELEASING, opened_by=released_by
    )


async def finish_release(
    desk: Desk,
    checkout: SavedCheckout,
    *,
    key: RequestKey | None = None,
    outcome: dict[str, Any] | None = None,
) -> None:
    """Gives back all that a RELEASING checkout locked and holds, and takes it to RELEASED.

    Every step may be repeated, and leaves word of the attempt, so that a lock or hold of it
    that arrives later is refused.

    Args:
        key: the request that is answered with `outcome` by this.
    """
    await give_back(desk, checkout)

    def work(connection: Connection) -> None:
        answered = {} if key is None else {"opened_by": None}
        checkouts_sql.move(
            connection,
            checkout.id,
            CheckoutState.RELEASING,
            CheckoutState.RELEASED,
            **answered,
        )
        if key is not None and outcome is not None:
            REQUESTS.settle(connection, key, outcome)

    await desk.database.transaction(work)
    desk.time_outs.forget(checkout.id)
    desk.reach("release.settled")


async def give_back(desk: Desk, checkout: SavedCheckout) -> None:
    """Frees the attempt's coupons, points and coins, wherever they are."""

    async def coupons_of(merchant_id: str) -> None:
        attempt = ReleaseAttempt(merchant_id=merchant_id, attempt_id=checkout.attempt_id)
        await desk.backend.release(attempt)
        desk.reach(f"release.coupons.{merchant_id == ALLIANCE_MERCHANT_ID}")

    async def funds_of(card_id: str) -> None:
        await desk.ledger.release(
            ReleaseFunds(attempt_id=checkout.attempt_id, card_id=card_id, now=desk.clock.now())
        )
        desk.reach("release.funds")

    steps: list[Awaitable[None]] = []
    for issuer_id in (checkout.merchant_id, ALLIANCE_MERCHANT_ID):
        if checkout.takes_from(issuer_id):
            steps.append(coupons_of(issuer_id))
    if checkout.holds_funds and checkout.card_id is not None:
        steps.append(funds_of(checkout.card_id))
    await all_done(*steps)


async def give_up(
    desk: Desk, checkout: SavedCheckout, *, key: RequestKey, refusal: Refusal | None
) -> None:
    """Releases a checkout whose opening failed, and keeps the refusal as the request's answer.

    Args:
        refusal: None, or retryable, when a repeat shall try again.
    """

    def work(connection: Connection) -> bool:
        if not begin_release(connection, checkout):
            return False
        if refusal is not None and not refusal.retryable:
            REQUESTS.settle(connection, key, refusal.as_json())
        return True

    if await desk.database.transaction(work):
        desk.reach("give_up.begun")
        await finish_release(desk, replace(checkout, state=CheckoutState.RELEASING))
