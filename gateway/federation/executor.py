"""Runs a plan: asks subgraphs in the plan's order and gathers what they answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse

from gateway.federation.faults import Fault, FaultCode
from gateway.federation.paths import Json, Paths, Reached
from gateway.federation.plan import Fetch, Node, Parallel, Sequence
from gateway.federation.replies import ReplyReader
from gateway.federation.representations import Gathered, Gatherer
from gateway.federation.transport import (
    Call,
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    Transport,
    TransportFailed,
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Gathering:
    """What one run of a plan works on.

    Attributes:
        transports: by subgraph name.
        variables: the client's JSON values, defaults filled in.
        context: handed to every transport.
        data: the merged data, in the subgraphs' own words; grows while the plan runs.
        faults: in the order in which they came up.
        reached: what was found at paths of `data` and is still there.
    """

    transports: Mapping[str, Transport]
    variables: Mapping[str, Any]
    context: CallContext
    data: Json = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    reached: Reached = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.forget_paths()

    def forget_paths(self) -> None:
        """Has the data walked anew, which may hold more by now."""
        self.reached = {0: [self.data]}


Step = Callable[[Gathering], Awaitable[None]]


def compile_node(node: Node) -> Step:
    """The node as a coroutine function that runs it; made once per plan.

    What a subgraph does wrong becomes faults of the gathering; cancelling the coroutine cancels
    every call under way.
    """
    return _compiled(node, dict(_all_response_names(node)), Paths())


def _all_response_names(node: Node) -> tuple[tuple[str, str], ...]:
    if isinstance(node, Fetch):
        return node.response_names
    return tuple(pair for child in node.nodes for pair in _all_response_names(child))


def _compiled(node: Node, merged_names: Mapping[str, str], paths: Paths) -> Step:
    if isinstance(node, Fetch):
        return _FetchStep(node, merged_names, paths).run
    if isinstance(node, Parallel) and all(isinstance(child, Fetch) for child in node.nodes):
        fetches = [child for child in node.nodes if isinstance(child, Fetch)]
        return _all_at_once([_FetchStep(fetch, merged_names, paths) for fetch in fetches])
    steps = [_compiled(child, merged_names, paths) for child in node.nodes]
    if len(steps) == 1:
        return steps[0]
    return _one_by_one(steps) if isinstance(node, Sequence) else _together(steps)


def _one_by_one(steps: list[Step]) -> Step:
    async def run(gathering: Gathering) -> None:
        for step in steps:
            await step(gathering)

    return run


def _together(steps: list[Step]) -> Step:
    async def run(gathering: Gathering) -> None:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(_as_coroutine(step(gathering)))

    return run


async def _as_coroutine(awaitable: Awaitable[None]) -> None:
    await awaitable


def _all_at_once(steps: list[_FetchStep]) -> Step:
    """Runs fetches together; without tasks when each has been sent before the first is awaited."""

    async def run(gathering: Gathering) -> None:
        begun = [started for step in steps if (started := step.begin(gathering)) is not None]
        try:
            if len(begun) > 1 and any(one.call is None for one in begun):
                async with asyncio.TaskGroup() as group:
                    for one in begun:
                        group.create_task(one.finish(gathering))
            else:
                for one in begun:
                    await one.finish(gathering)
        finally:
            for one in begun:
                if one.call is not None:
                    one.call.cancel()

    return run


@dataclass(frozen=True, slots=True)
class _Begun:
    """A fetch that has something to ask.

    Attributes:
        gathered: per entity input; empty for a fetch of root fields.
        objects: get the answer to a fetch of root fields.
        call: None when the request is still to be sent.
    """

    step: _FetchStep
    gathered: list[Gathered]
    objects: list[Json]
    request: SubgraphRequest
    call: Call | None

    async def finish(self, gathering: Gathering) -> None:
        """Awaits the reply and writes it into the data."""
        await self.step.finish(self, gathering)


class _FetchStep:
    """A `Fetch` made ready to run many times."""

    __slots__ = ("_fetch", "_gatherers", "_numbers", "_paths", "_reader")

    def __init__(self, fetch: Fetch, merged_names: Mapping[str, str], paths: Paths) -> None:
        self._fetch = fetch
        self._gatherers = [Gatherer(entity_input) for entity_input in fetch.inputs]
        self._paths = paths
        own_paths = [entity_input.path for entity_input in fetch.inputs] or [fetch.path]
        self._numbers = [paths.number(path) for path in own_paths]
        self._reader = ReplyReader(
            fetch.subgraph,
            root_names=() if fetch.inputs else _root_response_keys(fetch.document),
            gatherers=self._gatherers,
            response_names=dict(fetch.response_names),
            merged_names=merged_names,
            path=fetch.path,
        )

    async def run(self, gathering: Gathering) -> None:
        """Asks, when there is something to ask for, and writes the reply into the data."""
        begun = self.begin(gathering)
        if begun is not None:
            await self.finish(begun, gathering)

    def begin(self, gathering: Gathering) -> _Begun | None:
        """Sends the request when that is possible at once; None when there is nothing to ask."""
        found = [self._paths.values(number, gathering.reached) for number in self._numbers]
        gathered: list[Gathered] = []
        objects: list[Json] = []
        if self._gatherers:
            pairs = zip(self._gatherers, found, strict=True)
            gathered = [gatherer.gather(values) for gatherer, values in pairs]
            if not any(asked.representations for asked in gathered):
                return None
        else:
            objects = [value for value in found[0] if type(value) is dict]
            if not objects:
                return None
        request = self._request(gathering.variables, gathered)
        call = _begun_call(gathering, self._fetch.subgraph, request)
        return _Begun(self, gathered, objects, request, call)

    async def finish(self, begun: _Begun, gathering: Gathering) -> None:
        """Awaits the reply and writes it into the data."""
        try:
            reply = await _reply(gathering, self._fetch.subgraph, begun.request, begun.call)
        except TransportFailed as failure:
            gathering.faults += self._reader.faults_of_failure(
                failure, gathering.data, begun.gathered
            )
        else:
            faults, has_new_paths = self._reader.absorb(
                reply, gathering.data, begun.gathered, begun.objects
            )
            gathering.faults += faults
            if has_new_paths:
                gathering.forget_paths()

    def _request(self, given: Mapping[str, Any], gathered: list[Gathered]) -> SubgraphRequest:
        fetch = self._fetch
        variables = {name: given[name] for name in fetch.variables if name in given}
        for gatherer, asked in zip(self._gatherers, gathered, strict=True):
            variables[gatherer.variable] = asked.representations
        return SubgraphRequest(fetch.document, fetch.kind, variables)


def _root_response_keys(document: str) -> list[str]:
    return [
        selection.alias.value if selection.alias else selection.name.value
        for definition in parse(document, no_location=True).definitions
        if isinstance(definition, OperationDefinitionNode)
        for selection in definition.selection_set.selections
        if isinstance(selection, FieldNode)
    ]


def _begun_call(gathering: Gathering, subgraph: str, request: SubgraphRequest) -> Call | None:
    """The call, sent; None when the transport needs to wait first, or would refuse."""
    begin = getattr(gathering.transports.get(subgraph), "begin", None)
    context = gathering.context
    if begin is None or _is_too_late(context):
        return None
    try:
        call: Call | None = begin(request, context)
    except Exception:  # noqa: BLE001 - it comes again, and is told, when the call is made.
        return None
    return call


def _is_too_late(context: CallContext) -> bool:
    """Nothing is started that no one would wait for."""
    deadline = context.deadline
    return deadline is not None and asyncio.get_running_loop().time() >= deadline


async def _reply(
    gathering: Gathering, subgraph: str, request: SubgraphRequest, call: Call | None
) -> SubgraphReply:
    """The reply, or `TransportFailed` for whatever else happens before the deadline and after."""
    context = gathering.context
    transport = gathering.transports.get(subgraph)
    if transport is None:
        raise TransportFailed(
            f"Subgraph {subgraph} is not connected.", code=FaultCode.SUBGRAPH_UNAVAILABLE
        )
    try:
        if call is not None:
            return await call.reply()
        if context.deadline is None:
            return await transport.execute(request, context)
        if _is_too_late(context):
            raise TimeoutError
        async with asyncio.timeout_at(context.deadline):
            return await transport.execute(request, context)
    except TransportFailed:
        raise
    except TimeoutError:
        raise TransportFailed(
            f"Subgraph {subgraph} did not answer in time.", code=FaultCode.SUBGRAPH_TIMEOUT
        ) from None
    except Exception as bug:  # A transport's bug must cost its own fields only.
        _log.exception("request %s: transport of %s failed", context.request_id, subgraph)
        raise TransportFailed("Internal error.", code=FaultCode.INTERNAL) from bug
