"""Lets queries that are asked again while they are under way share one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from gateway.federation.engine import EngineAnswer, EngineRequest

JOIN_WITHIN_S: Final = 1.0
"""Age of a query beyond which no one joins it: no answer is read earlier than this before it was
asked for."""

FOLLOWERS_MAX: Final = 1_000
"""Requests that may wait for one query."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer with the body that tells it."""

    answer: EngineAnswer
    body: bytes

    @property
    def is_whole(self) -> bool:
        """Whether nothing went wrong; only then is it good for others too."""
        return self.answer.executed and not self.answer.errors


def sharing_key(
    request: EngineRequest, headers: Mapping[str, str], *more: Hashable
) -> Hashable | None:
    """Equal for queries that have one answer; None when this one is not to be shared.

    Args:
        headers: all that are passed on to subgraphs, and whatever says who asks. The request's id
            does not count.
        more: whatever else the answer depends on.
    """
    try:
        # Not compared as Python does: there, true equals 1.
        variables = orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    known_by = tuple(sorted(item for item in headers.items() if item[0] != "x-request-id"))
    return (request.document, request.operation_name, variables, known_by, *more)


@dataclass(slots=True)
class _Leader:
    """A query under way.

    Attributes:
        followers: get its answer, or None when they have to ask themselves.
    """

    began: float
    followers: list[asyncio.Future[Answered | None]] = field(default_factory=list)


class QueriesUnderWay:
    """Queries that others may join. Belongs to one event loop."""

    def __init__(self) -> None:
        self._leaders: dict[Hashable, _Leader] = {}
        self.shared = 0
        """Requests that were answered by another's query."""

    async def changed(self, answer: Callable[[], Awaitable[Answered]]) -> Answered:
        """The answer of what is no query. Whoever asks after it joins nothing from before it."""
        try:
            return await answer()
        finally:
            self._leaders.clear()

    async def answered(
        self, key: Hashable | None, answer: Callable[[], Awaitable[Answered]]
    ) -> Answered:
        """The answer of an equal query that is under way, if it is whole; else the one's own."""
        if key is None:
            return await answer()
        now = asyncio.get_running_loop().time()
        leader = self._leaders.get(key)
        if leader is None or now - leader.began > JOIN_WITHIN_S:
            return await self._lead(key, now, answer)
        if len(leader.followers) >= FOLLOWERS_MAX:
            return await answer()
        follower: asyncio.Future[Answered | None] = asyncio.get_running_loop().create_future()
        leader.followers.append(follower)
        shared = await follower
        if shared is None:
            return await answer()
        self.shared += 1
        return shared

    async def _lead(
        self, key: Hashable, now: float, answer: Callable[[], Awaitable[Answered]]
    ) -> Answered:
        leader = self._leaders[key] = _Leader(now)
        shared: Answered | None = None
        try:
            answered = await answer()
            if answered.is_whole:
                shared = answered
            return answered
        finally:
            if self._leaders.get(key) is leader:
                del self._leaders[key]
            for follower in leader.followers:
                if not follower.done():
                    follower.set_result(shared)
