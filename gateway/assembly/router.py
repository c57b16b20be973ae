"""Serves a supergraph file over HTTP subgraphs, and follows the file when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Final

from gateway.assembly.engine import assemble_engine
from gateway.assembly.override_labels import labels_holding
from gateway.federation.engine import Engine, EngineAnswer, EngineRequest
from gateway.federation.requests import PreparedOperation
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from gateway.http.limits import OperationLimits
from gateway.transports.http import HttpTransport

_log = logging.getLogger(__name__)

POLL_S: Final = 0.5


class _Generation:
    """One supergraph while it is served, with connections of its own."""

    def __init__(self, supergraph: Supergraph, limits: OperationLimits) -> None:
        self.labels = supergraph.override_labels
        self._transports = {
            name: HttpTransport(url, name=name) for name, url in supergraph.subgraphs.items()
        }
        self.engine: Engine = assemble_engine(supergraph, self._transports, limits=limits)
        self._under_way = 0
        self._is_unused = asyncio.Event()
        self._is_unused.set()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Within it, nothing of this generation is closed."""
        self._under_way += 1
        self._is_unused.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._is_unused.set()

    async def retire(self) -> None:
        """Closes all connections once the last request is answered; none may come any more."""
        await self._is_unused.wait()
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections at once."""
        for transport in self._transports.values():
            await transport.aclose()


class Router:
    """Answers by the supergraph that was read last.

    Args:
        labels: override labels that hold for every request.
    """

    def __init__(
        self, supergraph: Supergraph, *, limits: OperationLimits, labels: Collection[str] = ()
    ) -> None:
        self._limits = limits
        self._labels = frozenset(labels)
        self._generation = _Generation(supergraph, limits)
        self._retiring: dict[asyncio.Task[None], _Generation] = {}

    def prepare(self, request: EngineRequest) -> PreparedOperation:
        """The operation, parsed and valid.

        Raises:
            RequestRefused: it does not parse, is too large, or is not valid.
        """
        return self._generation.engine.prepare(request)

    async def execute(self, request: EngineRequest, context: CallContext) -> EngineAnswer:
        """The answer, from first to last by the supergraph that is served now."""
        generation = self._generation
        with generation.in_use():
            if generation.labels:
                labels = self._labels_of(generation, context.request_id)
                request = replace(request, override_labels=labels)
            return await generation.engine.execute(request, context)

    def version(self, request_id: str) -> Hashable:
        """The supergraph that is served now, and the override labels that hold for the request."""
        generation = self._generation
        return generation, self._labels_of(generation, request_id)

    def _labels_of(self, generation: _Generation, request_id: str) -> frozenset[str]:
        if not generation.labels:
            return generation.labels
        return labels_holding(generation.labels, named=self._labels, request_id=request_id)

    def serve(self, supergraph: Supergraph) -> None:
        """Answers by another supergraph from now on; what is under way ends by the old one.

        Raises:
            ValueError: a subgraph's URL is none; the old supergraph stays.
        """
        generation = _Generation(supergraph, self._limits)
        retiring = asyncio.create_task(self._generation.retire())
        self._retiring[retiring] = self._generation
        retiring.add_done_callback(lambda task: self._retiring.pop(task, None))
        self._generation = generation

    async def aclose(self) -> None:
        """Closes all connections at once."""
        left = list(self._retiring.items())
        for retiring, _ in left:
            retiring.cancel()
        for generation in (self._generation, *(generation for _, generation in left)):
            await generation.aclose()


@asynccontextmanager
async def following(
    router: Router,
    read: Callable[[], Supergraph],
    version: Callable[[], object],
    *,
    served: object,
) -> AsyncIterator[Callable[[], None]]:
    """Within it, the router serves what `read` gives whenever `version` has changed.

    Yields a function that has it read again at once, changed or not. A supergraph that can not
    be read is logged, and the last good one stays.

    Args:
        read: runs in a thread of its own; any exception is a reason to keep the old one.
        version: cheap; called every `POLL_S` seconds.
        served: the version that the router serves already.
    """
    asked = asyncio.Event()
    async with AsyncExitStack() as stack:
        watching = asyncio.create_task(_follow(router, read, version, served, asked))

        async def stop() -> None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

        stack.push_async_callback(stop)
        yield asked.set


async def _follow(
    router: Router,
    read: Callable[[], Supergraph],
    version: Callable[[], object],
    served: object,
    asked: asyncio.Event,
) -> None:
    while True:
        try:
            await asyncio.wait_for(asked.wait(), POLL_S)
        except TimeoutError:
            if version() == served:
                continue
        asked.clear()
        # Taken before the file is read: what is written meanwhile is seen the next time.
        served = version()
        try:
            supergraph = await asyncio.to_thread(read)
            router.serve(supergraph)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, service goes on.
            _log.error("the supergraph is not replaced: %s", error)
        else:
            _log.info("the supergraph is replaced; %d subgraphs", len(supergraph.subgraphs))
