"""What is worked on at this moment, so that nothing is worked on twice at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.leases import Leases
from kernel.refusals import RequestIdReused, RequestInProgress
from kernel.requests import RequestKey

T = TypeVar("T")


class Running:
    """Requests and checkouts in work."""

    def __init__(self, begun: BegunWork, leases: Leases) -> None:
        self.leases = leases
        self._begun = begun
        self._hash_by_request: dict[tuple[str, str, str], str] = {}
        self._checkouts: set[str] = set()
        self._given_back: set[str] = set()

    async def once(self, key: RequestKey, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` returns; it runs to its end even when the caller goes away.

        Raises:
            RequestInProgress: the same request is in work.
            RequestIdReused: a request with this id and another input is in work.
        """
        name = (key.caller, key.operation, key.request_id)
        running_hash = self._hash_by_request.get(name)
        if running_hash is not None:
            raise RequestInProgress if running_hash == key.body_hash else RequestIdReused
        self._hash_by_request[name] = key.body_hash
        return await self._begun.carry_out(self._forgetting(name, key, work()))

    @property
    def process(self) -> str:
        """Names this process, as the owner of the requests it works on."""
        return self.leases.holder

    @asynccontextmanager
    async def occupying(self, checkout_id: str, *, is_new: bool = False) -> AsyncIterator[None]:
        """Keeps others off a checkout, in this process and in any on the same database.

        Args:
            is_new: nobody can know of it yet; its lease is taken as it is kept.

        Raises:
            RequestInProgress: another works on it.
        """
        if checkout_id in self._checkouts:
            raise RequestInProgress
        self._checkouts.add(checkout_id)
        try:
            if not is_new and not await self.leases.take(checkout_id):
                raise RequestInProgress
            try:
                yield
            finally:
                if checkout_id not in self._given_back:
                    await self.leases.give_back(checkout_id)
        finally:
            self._given_back.discard(checkout_id)
            self._checkouts.discard(checkout_id)

    def was_given_back(self, checkout_id: str) -> None:
        """Tells that the lease went back with the transaction that ended the work."""
        if checkout_id in self._checkouts:
            self._given_back.add(checkout_id)

    def is_occupied(self, checkout_id: str) -> bool:
        """Whether somebody in this process works on the checkout."""
        return checkout_id in self._checkouts

    async def _forgetting(
        self, name: tuple[str, str, str], key: RequestKey, work: Coroutine[Any, Any, T]
    ) -> T:
        try:
            return await work
        except BaseException:
            await self.leases.let_go(key)
            raise
        finally:
            del self._hash_by_request[name]


async def all_done(*steps: Awaitable[Any]) -> None:
    """Waits for every step, then raises the first failure in their order."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
