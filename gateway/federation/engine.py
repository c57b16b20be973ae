"""The engine as its users see it: an operation in, an answer out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, GraphQLSchema

from gateway.federation.executor import Gathering, Step, compile_node
from gateway.federation.faults import Fault, FaultCode, RequestRefused
from gateway.federation.introspection import Answer, compile_introspection
from gateway.federation.plan import Plan
from gateway.federation.projection import compile_projection
from gateway.federation.requests import (
    EngineRequest,
    LeastRecentlyUsed,
    PreparedOperation,
    check_valid,
    chosen_operation,
    parsed,
    prepared,
    variables_to_send,
)
from gateway.federation.transport import CallContext, Transport

__all__ = ["Engine", "EngineAnswer", "EngineRequest", "Planning", "PreparedOperation"]

_log = logging.getLogger(__name__)

Limits = Callable[[DocumentNode], None]
Authorize = Callable[[PreparedOperation, CallContext], Sequence[Fault]]


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """What the client gets.

    Attributes:
        data: the answer; None when the request was refused or a null rose to the root. It may
            share parts with itself and must not be changed.
        errors: in no promised order.
        kind: `query` or `mutation`; empty when that was not found out.
        executed: whether the operation was begun; when not, the request itself was refused and
            the response has no `data` entry.
        plan: what was run; None when nothing was.
    """

    data: dict[str, Any] | None
    errors: tuple[Fault, ...]
    kind: str
    executed: bool
    # What selections share is written out for each: not for a log.
    plan: Plan | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, object]:
        """The response object of the GraphQL specification."""
        response: dict[str, object] = {}
        if self.errors:
            response["errors"] = [fault.as_json() for fault in self.errors]
        if self.executed:
            response["data"] = self.data
        return response


@dataclass(frozen=True, slots=True)
class Planning:
    """What the engine needs of a planner; both functions are pure and may refuse.

    Attributes:
        plan_operation: the plan of a valid document's operation of that name, for variables that
            matter only where they are conditional, and for the override labels that hold.
        conditional_variables: names of the variables whose values the plan depends on.
        override_labels: the labels that a plan may depend on.
    """

    plan_operation: Callable[[DocumentNode, str | None, Mapping[str, Any], frozenset[str]], Plan]
    conditional_variables: Callable[[DocumentNode, str | None], tuple[str, ...]]
    override_labels: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Ready:
    """An operation that passed every check which its text allows."""

    operation: PreparedOperation
    conditional: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Runnable:
    """A plan, compiled."""

    plan: Plan
    run: Step | None
    project: Callable[[dict[str, Any], Sequence[Fault]], tuple[dict[str, Any] | None, list[Fault]]]
    introspect: Callable[[Mapping[str, Any]], Answer] | None


def _no_limits(document: DocumentNode) -> None:
    """Lets every document pass."""


def _let_everyone(operation: PreparedOperation, context: CallContext) -> Sequence[Fault]:
    """Lets every caller pass."""
    return ()


class Engine:
    """Answers operations over the subgraphs of one supergraph.

    Args:
        public_schema: what clients may ask; without federation's own types and directives.
        planning: plans valid operations of that schema.
        transports: one per subgraph, by its name.
        plan_cache_size: documents, and plans, that are kept.
        limits: raises `RequestRefused` for a parsed document that is too large to validate.
        authorize: faults that forbid the operation, before anything is fetched.
        tokens_max: longest document that is parsed, in tokens; None for any.
    """

    def __init__(
        self,
        public_schema: GraphQLSchema,
        planning: Planning,
        transports: Mapping[str, Transport],
        *,
        plan_cache_size: int = 1_000,
        limits: Limits = _no_limits,
        authorize: Authorize = _let_everyone,
        tokens_max: int | None = 20_000,
    ) -> None:
        self._schema = public_schema
        self._planning = planning
        self._transports = transports
        self._limits = limits
        self._authorize = authorize
        self._tokens_max = tokens_max
        self._ready: LeastRecentlyUsed[tuple[str, str | None], _Ready] = LeastRecentlyUsed(
            plan_cache_size
        )
        self._runnables: LeastRecentlyUsed[tuple[Any, ...], _Runnable] = LeastRecentlyUsed(
            plan_cache_size
        )

    def prepare(self, request: EngineRequest) -> PreparedOperation:
        """The operation, parsed and valid, as `authorize` will see it; kept for repeats.

        Raises:
            RequestRefused: it does not parse, is too large, or is not valid.
        """
        return self._readied(request).operation

    async def execute(self, request: EngineRequest, context: CallContext) -> EngineAnswer:
        """The answer; whatever goes wrong is among its errors, our own bugs masked.

        Raises:
            asyncio.CancelledError: the caller gave up; every call under way was cancelled.
        """
        kind = ""
        executed = False
        try:
            ready = self._readied(request)
            kind = ready.operation.kind
            variables = variables_to_send(
                ready.operation.operation, request.variables, self._schema
            )
            forbidden = tuple(self._authorize(ready.operation, context))
            if forbidden:
                return EngineAnswer(None, forbidden, kind, executed=False)
            executed = True  # From here on the request was sound, and an answer is due.
            runnable = self._runnable(request, ready, variables)
            return await self._run(runnable, kind, variables, context)
        except RequestRefused as refused:
            return EngineAnswer(None, refused.faults, kind, executed=executed)
        except Exception:  # noqa: BLE001 - the engine's edge: a bug becomes one masked error.
            _log.exception("request %s: the engine failed", context.request_id)
            masked = Fault("Internal error.", FaultCode.INTERNAL)
            return EngineAnswer(None, (masked,), kind, executed=True)

    def _readied(self, request: EngineRequest) -> _Ready:
        key = (request.document, request.operation_name)
        ready = self._ready.get(key)
        if ready is None:
            ready = self._checked(request)
            self._ready.put(key, ready)
        return ready

    def _checked(self, request: EngineRequest) -> _Ready:
        document = parsed(request.document, tokens_max=self._tokens_max)
        self._limits(document)
        check_valid(document, self._schema)
        definition = chosen_operation(document, request.operation_name)
        operation = prepared(document, definition, self._schema)
        if operation.kind == "subscription":
            fault = Fault("Subscriptions are not served.", FaultCode.UNPLANNABLE)
            raise RequestRefused([fault])
        conditional = self._planning.conditional_variables(document, request.operation_name)
        return _Ready(operation, conditional)

    def _runnable(
        self, request: EngineRequest, ready: _Ready, variables: Mapping[str, Any]
    ) -> _Runnable:
        conditions = tuple(variables.get(name) for name in ready.conditional)
        labels = self._planning.override_labels & request.override_labels
        key = (request.document, request.operation_name, conditions, labels)
        runnable = self._runnables.get(key)
        if runnable is None:
            plan = self._planning.plan_operation(
                ready.operation.document, request.operation_name, variables, labels
            )
            runnable = _compiled(plan, self._schema)
            self._runnables.put(key, runnable)
        return runnable

    async def _run(
        self,
        runnable: _Runnable,
        kind: str,
        variables: Mapping[str, Any],
        context: CallContext,
    ) -> EngineAnswer:
        gathering = Gathering(self._transports, variables, context)
        if runnable.run is not None:
            await runnable.run(gathering)
        if runnable.introspect is not None:
            described, faults = runnable.introspect(variables)
            gathering.data.update(described)
            gathering.faults += faults
        data, found = runnable.project(gathering.data, gathering.faults)
        errors = (*gathering.faults, *found)
        return EngineAnswer(data, errors, kind, executed=True, plan=runnable.plan)


def _compiled(plan: Plan, schema: GraphQLSchema) -> _Runnable:
    return _Runnable(
        plan=plan,
        run=compile_node(plan.root) if plan.root is not None else None,
        project=compile_projection(plan.projection, schema),
        introspect=(
            compile_introspection(plan.introspection, schema)
            if plan.introspection is not None
            else None
        ),
    )
