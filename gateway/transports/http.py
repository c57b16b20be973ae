"""Reaches a remote subgraph over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from gateway.federation.faults import FaultCode
from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from gateway.transports.http_connection import BadReply, Reply, ReplyTooLong
from gateway.transports.http_pool import Exchange, HttpPool

REPLY_BYTES_MAX: Final = 10 * 1024 * 1024
TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 100
_DOCUMENTS_MAX: Final = 5_000

# The subgraph is near: compressing costs more than it saves, and can hide a huge reply.
_FIXED_HEADERS: Final = (
    b"content-type: application/json\r\n"
    b"accept: application/graphql-response+json, application/json;q=0.9\r\n"
    b"accept-encoding: identity\r\n"
)

# Most speak of one connection or one message, so a client's must not reach the subgraph; the rest
# are the ones above.
_NOT_PASSED_ON: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer"}
    | {"upgrade", "expect", "proxy-authorization", "content-encoding"}
    | {"content-type", "accept", "accept-encoding"}
)

# Where one client request's header lines are kept for all that it leads to.
_SCRATCH_KEY: Final = "http: header lines"

HeaderFactory = Callable[[CallContext], Mapping[str, str]]


class HttpTransport:
    """Posts operations to one URL over a pool of kept connections; `aclose` when done.

    Args:
        url: endpoint of the subgraph.
        name: names the subgraph in messages.
        timeout_s: longest wait for one call, retry included; a deadline may end it sooner.
        reply_bytes_max: a longer reply is given up while it is read.
        connections_max: calls at the same time; more wait within their time-out.
        header_factory: headers of this subgraph's own (say, a token), over those of the context.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        timeout_s: float = TIMEOUT_S,
        reply_bytes_max: int = REPLY_BYTES_MAX,
        connections_max: int = CONNECTIONS_MAX,
        header_factory: HeaderFactory | None = None,
    ) -> None:
        assert timeout_s > 0
        assert reply_bytes_max > 0
        self._pool = HttpPool(
            url,
            headers=_FIXED_HEADERS,
            connections_max=connections_max,
            reply_bytes_max=reply_bytes_max,
        )
        self._name = name
        self._timeout_s = timeout_s
        self._header_factory = header_factory
        self._encoded_documents: dict[str, bytes] = {}

    def begin(self, request: SubgraphRequest, context: CallContext) -> HttpCall | None:
        """Sends the request at once; None, with nothing sent, when no connection is idle."""
        exchange = self._pool.begin(
            self._encoded(request),
            self._headers(context),
            until=self._until(context),
            may_repeat=request.kind == "query",
        )
        return None if exchange is None else HttpCall(exchange, self._graphql)

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply.

        Raises:
            TransportFailed: no connection, no answer in time, or none that is GraphQL.
        """
        coming = self._pool.post(
            self._encoded(request),
            self._headers(context),
            until=self._until(context),
            may_repeat=request.kind == "query",
        )
        return await self._graphql(coming)

    async def _graphql(self, coming: Awaitable[Reply]) -> SubgraphReply:
        try:
            status, reply = await coming
        except TimeoutError:
            raise TransportFailed(
                f"Subgraph {self._name} did not answer in time.", code=FaultCode.SUBGRAPH_TIMEOUT
            ) from None
        except ReplyTooLong:
            raise self._malformed("gave a reply that is too long") from None
        except BadReply:
            raise self._malformed("gave a reply that is not HTTP") from None
        except OSError as error:
            raise self._unavailable("can not be reached") from error
        return self._read(status, reply)

    async def aclose(self) -> None:
        """Closes every connection; later calls fail."""
        await self._pool.aclose()

    def _until(self, context: CallContext) -> float:
        until = asyncio.get_running_loop().time() + self._timeout_s
        return until if context.deadline is None else min(until, context.deadline)

    def _headers(self, context: CallContext) -> bytes:
        if self._header_factory is not None:
            return _header_lines(
                {**_lower(context.headers), **_lower(self._header_factory(context))}
            )
        lines = context.scratch.get(_SCRATCH_KEY)
        if type(lines) is not bytes:
            lines = context.scratch[_SCRATCH_KEY] = _header_lines(_lower(context.headers))
        return lines

    def _encoded(self, request: SubgraphRequest) -> bytes:
        document = self._encoded_documents.get(request.document)
        if document is None:
            if len(self._encoded_documents) >= _DOCUMENTS_MAX:
                self._encoded_documents.clear()
            document = b'{"query":' + orjson.dumps(request.document)
            self._encoded_documents[request.document] = document
        if not request.variables:
            return document + b"}"
        return document + b',"variables":' + _encoded_variables(request.variables) + b"}"

    def _read(self, status: int, raw: bytes) -> SubgraphReply:
        try:
            reply = orjson.loads(raw)
        except orjson.JSONDecodeError:
            if status != 200:
                raise self._unavailable(f"answered with status {status}") from None
            raise self._malformed("gave a reply that is not JSON") from None
        errors = reply.get("errors") if isinstance(reply, dict) else None
        if status != 200 and not (isinstance(errors, list) and errors):
            raise self._unavailable(f"answered with status {status}")
        if not isinstance(reply, dict) or not ("data" in reply or errors):
            raise self._malformed("gave a reply that is not GraphQL")
        data = reply.get("data")
        if not isinstance(data, dict | None) or not isinstance(errors, list | None):
            raise self._malformed("gave a reply that is not GraphQL")
        return SubgraphReply(data, errors or [])

    def _unavailable(self, what: str) -> TransportFailed:
        return TransportFailed(
            f"Subgraph {self._name} {what}.", code=FaultCode.SUBGRAPH_UNAVAILABLE
        )

    def _malformed(self, what: str) -> TransportFailed:
        return TransportFailed(
            f"Subgraph {self._name} {what}.", code=FaultCode.SUBGRAPH_MALFORMED_REPLY
        )


class HttpCall:
    """A request that was sent and whose reply is awaited."""

    __slots__ = ("_exchange", "_read")

    def __init__(
        self, exchange: Exchange, read: Callable[[Awaitable[Reply]], Awaitable[SubgraphReply]]
    ) -> None:
        self._exchange = exchange
        self._read = read

    def reply(self) -> Awaitable[SubgraphReply]:
        """The subgraph's reply; may be asked for once, and raises as `HttpTransport.execute`."""
        return self._read(self._exchange.reply())

    def cancel(self) -> None:
        """Gives the reply up, unless it came."""
        self._exchange.cancel()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _header_lines(headers: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {value}" for name, value in headers.items() if name not in _NOT_PASSED_ON]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("A header holds a line break.")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def _encoded_variables(variables: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(variables)
    except TypeError:
        # Integers beyond 64 bits, which only the standard library writes.
        return json.dumps(variables).encode()
