"""The GraphQL endpoint: one HTTP request in, one GraphQL response out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol

from gateway.federation.engine import EngineAnswer, EngineRequest
from gateway.federation.faults import Fault, FaultCode, RequestRefused
from gateway.federation.requests import PreparedOperation
from gateway.federation.transport import CallContext
from gateway.http.collapsing import Answered, QueriesUnderWay, sharing_key
from gateway.http.cost import OperationCosts
from gateway.http.limits import EndpointLimits
from gateway.http.metrics import Metrics
from gateway.http.request import (
    ClientGone,
    HttpRefused,
    Receive,
    check_content_type,
    deadline_ms,
    headers_of,
    language_of,
    operation_of_body,
    operation_of_query_string,
    read_body,
    request_id_of,
)
from gateway.http.responses import (
    CHALLENGE,
    MediaType,
    Send,
    body_of,
    body_of_refusal,
    media_type_for,
    respond,
    status_of,
)
from kernel.callers import Caller
from kernel.ids import IdSource

_log = logging.getLogger(__name__)


class AnswersOperations(Protocol):
    """The part of the engine that the endpoint needs."""

    def prepare(self, request: EngineRequest) -> PreparedOperation:
        """The operation, parsed and valid.

        Raises:
            RequestRefused: it is not.
        """
        ...

    async def execute(self, request: EngineRequest, context: CallContext) -> EngineAnswer:
        """The answer."""
        ...


class TellsCallers(Protocol):
    """The part of authentication that the endpoint needs."""

    async def caller(self, authorization: str | None) -> Caller | None:
        """Whoever the header names; None without one.

        Raises:
            HttpRefused: the token is not good.
        """
        ...


class GraphQLEndpoint:
    """Serves GraphQL over HTTP as an ASGI application.

    It answers 503 until `open` is called, and again after `close`.

    Args:
        ids: makes the ids of requests that came without one.
        passed_headers: names, in lower case, of request headers that subgraphs get too.
        tells_plans: whether a request with the header `x-query-plan: true` is told its plan,
            which names the subgraphs and the fields that clients can not see.
    """

    def __init__(
        self,
        *,
        limits: EndpointLimits,
        metrics: Metrics,
        ids: IdSource,
        passed_headers: Sequence[str] = (),
        tells_plans: bool = False,
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._ids = ids
        self._passed_headers = tuple(passed_headers)
        self._tells_plans = tells_plans
        self._engine: AnswersOperations | None = None
        self._authenticator: TellsCallers | None = None
        self._costs: OperationCosts | None = None
        self._under_way = 0
        self._in_work = 0
        self._version: Callable[[str], Hashable] | None = None
        self._queries = QueriesUnderWay()

    def open(
        self,
        engine: AnswersOperations,
        authenticator: TellsCallers,
        costs: OperationCosts | None = None,
        *,
        version: Callable[[str], Hashable] | None = None,
    ) -> None:
        """Begins to serve.

        Args:
            costs: without them, operations may cost what they like.
            version: see `gateway.http.app.Running`; without it, every query is run.
        """
        self._engine = engine
        self._authenticator = authenticator
        self._costs = costs
        self._version = version

    def close(self) -> None:
        """Serves no more."""
        self._engine = None
        self._authenticator = None

    @property
    def is_open(self) -> bool:
        """Whether requests are served."""
        return self._engine is not None

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request; whatever happens, with a GraphQL response."""
        started = time.perf_counter()
        headers = headers_of(scope)
        request_id = request_id_of(headers) or self._ids.new("req")
        media_type = MediaType.JSON
        kind, outcome = "", "refused"
        self._under_way += 1
        self._metrics.under_way.set(self._under_way)
        try:
            media_type = _negotiated(headers)
            answered = await self._answer(scope, headers, receive, request_id)
            answer = answered.answer
            kind, outcome = answer.kind, _outcome_of(answer)
            status = status_of(answer, media_type)
            await respond(
                send,
                status,
                answered.body,
                media_type=media_type.value,
                request_id=request_id,
                headers={"www-authenticate": CHALLENGE} if status == 401 else None,
            )
        except ClientGone:
            outcome = "gone"
        except HttpRefused as refused:
            await _refuse(send, refused, media_type, request_id)
        except Exception:  # noqa: BLE001 - the edge: a bug becomes one masked error.
            _log.exception("request %s failed", request_id)
            outcome = "failed"
            bug = HttpRefused(500, str(FaultCode.INTERNAL), "Internal error.")
            await _refuse(send, bug, media_type, request_id)
        finally:
            self._under_way -= 1
            self._metrics.under_way.set(self._under_way)
            self._metrics.observe(kind, outcome, time.perf_counter() - started)

    async def _answer(
        self,
        scope: Mapping[str, Any],
        headers: Mapping[str, str],
        receive: Receive,
        request_id: str,
    ) -> Answered:
        engine, authenticator = self._engine, self._authenticator
        if engine is None or authenticator is None:
            raise HttpRefused(503, "NOT_READY", "The server is starting.", {"retry-after": "1"})
        self._check_room()
        waits_ms = deadline_ms(headers, ms_max=self._limits.deadline_ms_max)
        context = CallContext(
            request_id=request_id,
            deadline=asyncio.get_running_loop().time() + waits_ms / 1_000,
            caller=await authenticator.caller(headers.get("authorization")),
            headers=self._headers_for_subgraphs(headers, request_id),
        )
        request = await self._request(scope, headers, receive)
        # Counted once they are here: whoever sends slowly keeps nobody else out.
        self._check_room()
        self._in_work += 1
        try:
            return await self._answer_to(engine, request, context, scope, headers, waits_ms)
        finally:
            self._in_work -= 1

    def _check_room(self) -> None:
        if self._in_work >= self._limits.concurrent_max:
            raise HttpRefused(503, "OVERLOADED", "Too many requests.", {"retry-after": "1"})

    async def _answer_to(
        self,
        engine: AnswersOperations,
        request: EngineRequest,
        context: CallContext,
        scope: Mapping[str, Any],
        headers: Mapping[str, str],
        waits_ms: int,
    ) -> Answered:
        try:
            self._limits.operation.check_text(request.document)
            if scope["method"] == "GET":
                _check_is_query(engine, request)
            cost = self._checked_cost(engine, request)
            kind = engine.prepare(request).kind if self._version is not None else ""
        except RequestRefused as refused:
            answer = EngineAnswer(None, refused.faults, "", executed=False)
            return Answered(answer, body_of(answer))
        with_plan = self._tells_plans and _asks_for_plan(headers)

        async def answered() -> Answered:
            answer = await engine.execute(request, context)
            return Answered(answer, body_of(answer, cost, with_plan=with_plan))

        if self._version is None:
            return await answered()
        if kind != "query":
            return await self._queries.changed(answered)
        known_by = {**context.headers, "authorization": headers.get("authorization", "")}
        version = self._version(context.request_id)
        key = sharing_key(request, known_by, version, waits_ms, with_plan)
        return await self._queries.answered(key, answered)

    def _checked_cost(self, engine: AnswersOperations, request: EngineRequest) -> int | None:
        if self._costs is None:
            return None
        cost = self._costs.of(request, engine.prepare(request))
        if cost > self._costs.cost_max:
            message = f"The answer could hold {cost} fields; at most {self._costs.cost_max} may."
            extensions = {"cost": cost, "costMax": self._costs.cost_max}
            raise RequestRefused([Fault(message, "OPERATION_TOO_COSTLY", extensions=extensions)])
        return cost

    def _headers_for_subgraphs(self, headers: Mapping[str, str], request_id: str) -> dict[str, str]:
        passed = {name: headers[name] for name in self._passed_headers if name in headers}
        passed["x-request-id"] = request_id
        passed["accept-language"] = language_of(headers)
        return passed

    async def _request(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], receive: Receive
    ) -> EngineRequest:
        method = scope["method"]
        if method == "POST":
            check_content_type(headers)
            limit = self._limits.body_bytes_max
            return operation_of_body(await read_body(headers, receive, bytes_max=limit))
        if method == "GET":
            return operation_of_query_string(scope["query_string"])
        raise HttpRefused(
            405, "METHOD_NOT_ALLOWED", "Use POST, or GET for queries.", {"allow": "GET, POST"}
        )


def _negotiated(headers: Mapping[str, str]) -> MediaType:
    media_type = media_type_for(headers.get("accept", ""))
    if media_type is None:
        raise HttpRefused(
            406, "NOT_ACCEPTABLE", "Accept application/graphql-response+json or application/json."
        )
    return media_type


def _asks_for_plan(headers: Mapping[str, str]) -> bool:
    return headers.get("x-query-plan", "").strip().lower() in ("1", "true")


def _check_is_query(engine: AnswersOperations, request: EngineRequest) -> None:
    if engine.prepare(request).kind != "query":
        raise HttpRefused(
            405, "METHOD_NOT_ALLOWED", "GET is for queries: use POST.", {"allow": "POST"}
        )


def _outcome_of(answer: EngineAnswer) -> str:
    if not answer.executed:
        return "refused"
    return "partial" if answer.errors else "answered"


async def _refuse(send: Send, refused: HttpRefused, media_type: MediaType, request_id: str) -> None:
    await respond(
        send,
        refused.status,
        body_of_refusal(refused),
        media_type=media_type.value,
        request_id=request_id,
        headers=refused.headers,
    )
