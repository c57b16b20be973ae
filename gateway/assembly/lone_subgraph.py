"""Answers clients from one subgraph alone, `_entities` included, as other routers ask it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import print_ast
from graphql.utilities import separate_operations

from gateway.federation.engine import EngineAnswer, EngineRequest
from gateway.federation.faults import Fault, FaultCode, RequestRefused
from gateway.federation.requests import (
    LeastRecentlyUsed,
    PreparedOperation,
    check_valid,
    chosen_operation,
    parsed,
    prepared,
    variables_to_send,
)
from gateway.federation.transport import CallContext, SubgraphRequest, Transport
from gateway.http.limits import OperationLimits
from gateway.transports.in_process import HostedSubgraph

Authorize = Callable[[PreparedOperation, CallContext], Sequence[Fault]]

_OPERATIONS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class _Ready:
    operation: PreparedOperation
    text: str


class LoneSubgraph:
    """One hosted subgraph, without a gateway in front.

    Args:
        transport: reaches it.
        authorize: faults that forbid an operation; the gateway's own rules, since they are part
            of the subgraph's SDL.
    """

    def __init__(
        self,
        subgraph: HostedSubgraph,
        *,
        transport: Transport,
        authorize: Authorize,
        limits: OperationLimits,
    ) -> None:
        self._schema = subgraph.schema
        self._transport = transport
        self._authorize = authorize
        self._limits = limits
        self._known: LeastRecentlyUsed[tuple[str, str | None], _Ready] = LeastRecentlyUsed(
            _OPERATIONS_KEPT
        )

    def prepare(self, request: EngineRequest) -> PreparedOperation:
        """The operation, parsed and valid.

        Raises:
            RequestRefused: it does not parse, is too large, or is not valid.
        """
        return self._readied(request).operation

    async def execute(self, request: EngineRequest, context: CallContext) -> EngineAnswer:
        """The subgraph's answer."""
        try:
            ready = self._readied(request)
            variables = variables_to_send(
                ready.operation.operation, request.variables, self._schema
            )
        except RequestRefused as refused:
            return EngineAnswer(None, refused.faults, "", executed=False)
        kind = ready.operation.kind
        forbidden = tuple(self._authorize(ready.operation, context))
        if forbidden:
            return EngineAnswer(None, forbidden, kind, executed=False)
        reply = await self._transport.execute(SubgraphRequest(ready.text, kind, variables), context)
        return EngineAnswer(reply.data, tuple(map(_fault, reply.errors)), kind, executed=True)

    def _readied(self, request: EngineRequest) -> _Ready:
        key = (request.document, request.operation_name)
        ready = self._known.get(key)
        if ready is None:
            ready = self._checked(request)
            self._known.put(key, ready)
        return ready

    def _checked(self, request: EngineRequest) -> _Ready:
        document = parsed(request.document, tokens_max=self._limits.tokens_max)
        self._limits.check(document)
        check_valid(document, self._schema)
        definition = chosen_operation(document, request.operation_name)
        name = definition.name.value if definition.name else ""
        # The transport runs the one operation of its document.
        alone = separate_operations(document)[name]
        return _Ready(prepared(document, definition, self._schema), print_ast(alone))


def _fault(raw: Mapping[str, Any]) -> Fault:
    extensions = dict(raw.get("extensions") or {})
    code = str(extensions.pop("code", FaultCode.INTERNAL))
    path = raw.get("path")
    return Fault(
        str(raw.get("message", "")),
        code,
        path=None if path is None else tuple(path),
        extensions=extensions,
    )
