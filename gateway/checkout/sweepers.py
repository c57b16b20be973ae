"""Finishes what time-outs and crashes left, now and then. See docs/rules/checkout.md, rule 14."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import Connection

from gateway.checkout import checkouts_sql, stuck_sql
from gateway.checkout.capture import finish_capture
from gateway.checkout.desk import UNANSWERED, Desk
from gateway.checkout.events import Outbox, apply_events, outboxes
from gateway.checkout.occasions import sweep_occasions
from gateway.checkout.release import begin_release, finish_release
from gateway.checkout.saved import SavedCheckout
from gateway.checkout.states import CheckoutState, Need, need_of
from kernel.refusals import Refusal, RequestInProgress

logger = logging.getLogger(__name__)

PAGE = 200
CHECKOUT_PAUSE_SECONDS = 1.0
EVENT_PAUSE_SECONDS = 0.5
OCCASION_PAUSE_SECONDS = 600.0
TIER_PAUSE_SECONDS = 60.0


async def sweep_checkouts(desk: Desk) -> int:
    """Finishes every checkout that nobody works on and that waits for nothing; how many."""
    finished = 0
    after = ""
    while True:
        page = await _read_page(desk, after)
        for checkout_id, state, is_extended in page:
            finished += await _sweep(desk, checkout_id, state, is_extended=is_extended)
        if len(page) < PAGE:
            return finished
        after = page[-1][0]


async def _read_page(desk: Desk, after: str) -> list[tuple[str, CheckoutState, bool]]:
    return await desk.database.snapshot(
        lambda connection: checkouts_sql.read_unsettled(connection, after=after, limit=PAGE)
    )


async def sweep_events(desk: Desk) -> int:
    """Applies what waits in every outbox; how many events it passed."""
    return sum([await _sweep_outbox(desk, outbox) for outbox in outboxes(desk)])


async def count_parked_events(desk: Desk) -> int:
    """How many events wait for an operator."""
    return await desk.database.snapshot(stuck_sql.count_parked)


async def sweep_tiers(desk: Desk) -> int:
    """Evaluates tiers whose time is over; how many. What is left by a crash is still due."""
    evaluated = 0
    while (done := await desk.backend.end_due_tiers(limit=PAGE)) > 0:
        evaluated += done
        if done < PAGE:
            break
    return evaluated


async def _sweep_outbox(desk: Desk, outbox: Outbox) -> int:
    try:
        return await apply_events(desk, outbox)
    except UNANSWERED as error:
        logger.warning("events of %s wait: %s", outbox.name, error)
    except Exception:
        logger.exception("events of %s fail", outbox.name)
    return 0


async def _sweep(desk: Desk, checkout_id: str, state: CheckoutState, *, is_extended: bool) -> bool:
    seconds_left = 0.0
    if state is CheckoutState.HELD:
        seconds_left = desk.time_outs.seconds_left(
            checkout_id, monotonic=desk.clock.monotonic(), is_extended=is_extended
        )
    if need_of(state, seconds_left=seconds_left) is Need.NOTHING:
        return False
    try:
        async with desk.running.occupying(checkout_id):
            return await _finish(desk, checkout_id, state, is_extended=is_extended)
    except RequestInProgress as error:
        logger.info("checkout %s waits: %s", checkout_id, error)
    except (*UNANSWERED, Refusal) as error:
        logger.warning("checkout %s waits: %s", checkout_id, error)
    except Exception:
        logger.exception("checkout %s fails", checkout_id)
    return False


async def _finish(desk: Desk, checkout_id: str, seen: CheckoutState, *, is_extended: bool) -> bool:
    """Whether the checkout, still as it was seen, was finished."""

    def work(connection: Connection) -> SavedCheckout | None:
        checkout = checkouts_sql.read_checkout(connection, checkout_id)
        if checkout is None or checkout.state is not seen:
            return None
        if checkout.is_extended != is_extended:  # It was given more time meanwhile.
            return None
        if seen in (CheckoutState.OPENING, CheckoutState.HELD):
            begin_release(connection, checkout)
            return dataclasses.replace(checkout, state=CheckoutState.RELEASING)
        return checkout

    checkout = await desk.database.transaction(work)
    if checkout is None:
        return False
    desk.reach("sweep.begun")
    if checkout.state is CheckoutState.CAPTURING:
        await finish_capture(desk, checkout)
    else:
        await finish_release(desk, checkout)
    return True


class Sweepers:
    """All sweepers, in the background of one server.

    Attributes:
        parked_events: how many waited for an operator after the last sweep of events.

    Args:
        catch_up: takes in what other processes changed, before each sweep.
        others: further sweeps of the alliance; each tells how much it finished.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        catch_up: Callable[[], Awaitable[None]],
        others: Sequence[Callable[[], Awaitable[int]]] = (),
        checkout_pause_seconds: float = CHECKOUT_PAUSE_SECONDS,
        event_pause_seconds: float = EVENT_PAUSE_SECONDS,
        occasion_pause_seconds: float = OCCASION_PAUSE_SECONDS,
        tier_pause_seconds: float = TIER_PAUSE_SECONDS,
    ) -> None:
        self._desk = desk
        self._catch_up = catch_up
        self._others = others
        self._checkout_pause_seconds = checkout_pause_seconds
        self._event_pause_seconds = event_pause_seconds
        self._occasion_pause_seconds = occasion_pause_seconds
        self._tier_pause_seconds = tier_pause_seconds
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.parked_events = 0

    async def run_once(self) -> None:
        """Does once what all do for ever."""
        for sweep, _ in self._sweeps():
            await self._catch_up()
            await sweep()

    def start(self) -> None:
        """Begins to sweep."""
        assert not self._tasks
        self._stopping.clear()
        self._tasks = [
            asyncio.create_task(self._repeat(sweep, pause)) for sweep, pause in self._sweeps()
        ]

    async def stop(self) -> None:
        """Lets what is being swept end, then stops."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        self._tasks = []

    def _sweeps(self) -> list[tuple[Callable[[], Awaitable[int]], float]]:
        return [
            (lambda: sweep_checkouts(self._desk), self._checkout_pause_seconds),
            (self._sweep_events, self._event_pause_seconds),
            (lambda: sweep_tiers(self._desk), self._tier_pause_seconds),
            (lambda: sweep_occasions(self._desk), self._occasion_pause_seconds),
            *((other, self._checkout_pause_seconds) for other in self._others),
        ]

    async def _sweep_events(self) -> int:
        passed = await sweep_events(self._desk)
        self.parked_events = await count_parked_events(self._desk)
        return passed

    async def _repeat(self, sweep: Callable[[], Awaitable[int]], pause_seconds: float) -> None:
        while not self._stopping.is_set():
            try:
                await self._catch_up()
                await sweep()
            except UNANSWERED as error:
                logger.warning("sweeping waits: %s", error)
            except Exception:
                logger.exception("sweeping failed")
            try:
                await asyncio.wait_for(self._stopping.wait(), pause_seconds)
            except TimeoutError:
                continue
