"""Which lanes share a transaction, and how many transactions run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from ledger.booking.lane_queues import LaneQueues

Taken = Mapping[int, Sequence[str]]


class Transactions:
    """Transactions that end when they are told to."""

    def __init__(self) -> None:
        self.begun: list[Taken] = []
        self.locked: set[int] = set()
        self._ends: list[asyncio.Future[None]] = []

    async def commit(self, taken: Taken) -> Taken:
        self.begun.append(taken)
        self._ends.append(asyncio.get_running_loop().create_future())
        await self._ends[-1]
        if len(taken) == 1:
            return taken
        return {lane: items for lane, items in taken.items() if lane not in self.locked}

    async def end(self, number: int, error: Exception | None = None) -> None:
        if error is None:
            self._ends[number].set_result(None)
        else:
            self._ends[number].set_exception(error)
        await settled()


async def settled() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def submit(queues: LaneQueues[str, str], *items: tuple[int, str]) -> list[asyncio.Task[str]]:
    return [asyncio.create_task(queues.submit(lane, item)) for lane, item in items]


async def test_lanes_that_wait_share_a_transaction_until_it_has_enough() -> None:
    transactions = Transactions()
    queues: LaneQueues[str, str] = LaneQueues(transactions.commit, lanes=4, enough=3, at_once=1)
    first = submit(queues, (0, "a"))
    await settled()
    later = submit(queues, (1, "b"), (0, "c"), (2, "d"), (1, "e"), (3, "f"))
    await settled()

    waiting = [queues.waiting]
    for number in range(3):
        await transactions.end(number)
        waiting.append(queues.waiting)

    assert waiting == [5, 2, 0, 0]
    assert transactions.begun == [{0: ["a"]}, {1: ["b", "e"], 2: ["d"]}, {3: ["f"], 0: ["c"]}]
    assert await asyncio.gather(*first, *later) == ["a", "b", "c", "d", "e", "f"]


async def test_no_more_transactions_run_at_once_and_no_lane_is_in_two() -> None:
    transactions = Transactions()
    queues: LaneQueues[str, str] = LaneQueues(transactions.commit, lanes=4, enough=1, at_once=2)
    tasks = submit(queues, (0, "a"), (1, "b"), (2, "c"))
    await settled()
    tasks += submit(queues, (0, "d"))
    await settled()
    assert transactions.begun == [{0: ["a"]}, {1: ["b"]}]

    await transactions.end(1)
    assert transactions.begun[2:] == [{2: ["c"]}]
    await transactions.end(2)
    assert len(transactions.begun) == 3
    await transactions.end(0)
    assert transactions.begun[3:] == [{0: ["d"]}]
    await transactions.end(3)

    assert await asyncio.gather(*tasks) == ["a", "b", "c", "d"]
    await queues.drained()


async def test_what_a_transaction_raises_all_of_its_lanes_get_and_no_other() -> None:
    transactions = Transactions()
    queues: LaneQueues[str, str] = LaneQueues(transactions.commit, lanes=3, enough=2, at_once=1)
    tasks = submit(queues, (0, "a"), (1, "b"), (2, "c"))
    await settled()
    failed = LookupError()

    await transactions.end(0, failed)
    await transactions.end(1)

    assert await asyncio.gather(*tasks, return_exceptions=True) == [failed, failed, "c"]


async def test_a_lane_that_others_have_waits_alone_and_holds_up_no_other() -> None:
    transactions = Transactions()
    transactions.locked = {1}
    queues: LaneQueues[str, str] = LaneQueues(transactions.commit, lanes=4, enough=9, at_once=1)
    tasks = submit(queues, (0, "a"), (1, "b"), (1, "c"), (2, "d"))
    await settled()
    await transactions.end(0)
    tasks += submit(queues, (1, "e"), (3, "f"), (0, "g"))
    await settled()
    together = {0: ["a"], 1: ["b", "c"], 2: ["d"]}
    assert transactions.begun == [together, {1: ["b", "c"]}, {3: ["f"], 0: ["g"]}]

    await transactions.end(2)
    assert not tasks[1].done()
    await transactions.end(1)
    assert transactions.begun[3:] == [{1: ["e"]}]
    await transactions.end(3)

    assert await asyncio.gather(*tasks) == ["a", "b", "c", "d", "e", "f", "g"]
    await queues.drained()
