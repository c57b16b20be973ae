"""The queues before the lanes: while one transaction commits, the next one forms.

No request waits for others to come: as soon as a transaction may begin, it takes what waits. A
transaction costs as much as a dozen orders, so it serves lane after lane, those that wait longest
first, until it has enough; and only a few run at once, so that what comes meanwhile fills the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

from kernel.database import Overloaded

ItemT = TypeVar("ItemT")
OutcomeT = TypeVar("OutcomeT")

BATCH_MAX = 500
WAITING_MAX = 4 * BATCH_MAX
ENOUGH = 100
"""Requests with which a transaction takes no further lane: more would cost others their lanes."""
AT_ONCE = 2
"""Transactions of one process: while the server works for one, the next is decided. A third would
find few lanes left, and what a transaction costs would be shared by fewer requests."""

_Waiting: TypeAlias = "tuple[ItemT, asyncio.Future[OutcomeT]]"


class LaneQueues(Generic[ItemT, OutcomeT]):
    """Hands what is submitted to `commit`, lane by lane in the order of arrival.

    A lane is in one transaction at a time, several lanes may be in the same.

    Args:
        commit: gives, for each lane, an outcome for each item; a lane that others have it may
            leave out, unless it was given that lane alone. What it raises, every item gets.
    """

    def __init__(
        self,
        commit: Callable[
            [Mapping[int, Sequence[ItemT]]],
            Awaitable[Mapping[int, Sequence[OutcomeT | BaseException]]],
        ],
        *,
        lanes: int,
        enough: int = ENOUGH,
        at_once: int = AT_ONCE,
        batch_max: int = BATCH_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._commit = commit
        self._enough = enough
        self._at_once = at_once
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._waiting: list[deque[_Waiting[ItemT, OutcomeT]]] = [deque() for _ in range(lanes)]
        # Lanes in which something waits and nothing runs, those that wait longest first.
        self._ready: dict[int, None] = {}
        self._busy: set[int] = set()
        # Lanes that others had: each waits for them in a transaction of its own, beside the rest.
        self._alone: set[int] = set()
        self._patient = 0
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, lane: int, item: ItemT) -> OutcomeT:
        """The outcome of the item.

        A caller that is cancelled takes back what still waits, and nothing that was taken.

        Raises:
            Overloaded: too much waits before the lane; nothing of this item was begun.
        """
        if len(self._waiting[lane]) >= self._waiting_max:
            raise Overloaded("too many writes wait")
        future: asyncio.Future[OutcomeT] = asyncio.get_running_loop().create_future()
        self._waiting[lane].append((item, future))
        if lane not in self._busy:
            self._ready[lane] = None
            self._begin()
        return await future

    @property
    def waiting(self) -> int:
        """How many items wait and are in no transaction yet."""
        return sum(map(len, self._waiting))

    async def drained(self) -> None:
        """Returns when nothing waits or runs."""
        while self._running:
            await asyncio.wait(self._running)

    def _begin(self) -> None:
        """Begins as many transactions as may run; each takes its items as its task starts."""
        if self._ready and len(self._running) - self._patient < self._at_once:
            task = asyncio.create_task(self._run())
            self._running.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()

    async def _run(self) -> None:
        while taken := self._take():
            if not self._alone.isdisjoint(taken):
                await self._run_alone(taken)
                return  # Others may have begun in its place.
            self._begin()
            await self._settle(taken)

    async def _run_alone(self, taken: Mapping[int, Sequence[_Waiting[ItemT, OutcomeT]]]) -> None:
        self._patient += 1
        self._begin()
        try:
            await self._settle(taken)
        finally:
            self._patient -= 1
            self._alone -= taken.keys()

    def _take(self) -> dict[int, list[_Waiting[ItemT, OutcomeT]]]:
        taken: dict[int, list[_Waiting[ItemT, OutcomeT]]] = {}
        count = 0
        while self._ready and count < self._enough:
            lane = next(iter(self._ready))
            if lane in self._alone and taken:
                break
            del self._ready[lane]
            some = self._take_of(self._waiting[lane], self._batch_max - count)
            if some:
                taken[lane] = some
                count += len(some)
            if lane in self._alone:
                break
        self._busy |= taken.keys()
        return taken

    @staticmethod
    def _take_of(
        waiting: deque[_Waiting[ItemT, OutcomeT]], at_most: int
    ) -> list[_Waiting[ItemT, OutcomeT]]:
        some: list[_Waiting[ItemT, OutcomeT]] = []
        while waiting and len(some) < at_most:
            next_one = waiting.popleft()
            if not next_one[1].done():
                some.append(next_one)
        return some

    async def _settle(self, taken: Mapping[int, Sequence[_Waiting[ItemT, OutcomeT]]]) -> None:
        outcomes: Mapping[int, Sequence[OutcomeT | BaseException]]
        try:
            items = {lane: [item for item, _ in some] for lane, some in taken.items()}
            outcomes = await self._commit(items)
        except BaseException as error:  # It belongs to those who wait.
            outcomes = {lane: [error] * len(some) for lane, some in taken.items()}
            if not isinstance(error, Exception):
                raise
        finally:
            for lane, some in taken.items():
                if lane in outcomes:
                    _tell(some, outcomes[lane])
                else:
                    self._waiting[lane].extendleft(reversed(some))
                    self._alone.add(lane)
            self._busy -= taken.keys()
            self._ready |= dict.fromkeys(lane for lane in taken if self._waiting[lane])


def _tell(
    some: Sequence[_Waiting[ItemT, OutcomeT]], outcomes: Sequence[OutcomeT | BaseException]
) -> None:
    for (_, future), outcome in zip(some, outcomes, strict=True):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
