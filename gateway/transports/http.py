"""Reaches a remote subgraph over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from gateway.federation.faults import FaultCode
from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from gateway.transports.http_pool import BadReply, HttpPool, ReplyTooLong

REPLY_BYTES_MAX: Final = 10 * 1024 * 1024
TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 100
_DOCUMENTS_MAX: Final = 5_000

# The subgraph is near: compressing costs more than it saves, and can hide a huge reply.
_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "application/graphql-response+json, application/json;q=0.9",
    "accept-encoding": "identity",
}

# These speak of one connection or one message, so a client's must not reach the subgraph.
_NOT_PASSED_ON: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer"}
    | {"upgrade", "expect", "proxy-authorization", "content-encoding"}
)

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
        self._pool = HttpPool(url, connections_max=connections_max, reply_bytes_max=reply_bytes_max)
        self._name = name
        self._timeout_s = timeout_s
        self._header_factory = header_factory
        self._encoded_documents: dict[str, bytes] = {}

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply.

        Raises:
            TransportFailed: no connection, no answer in time, or none that is GraphQL.
        """
        until = asyncio.get_running_loop().time() + self._timeout_s
        if context.deadline is not None:
            until = min(until, context.deadline)
        headers = self._headers(context)
        body = self._encoded(request)
        try:
            async with asyncio.timeout_at(until):
                status, reply = await self._pool.post(
                    body, headers, may_repeat=request.kind == "query"
                )
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

    def _headers(self, context: CallContext) -> dict[str, str]:
        headers: dict[str, str] = {}
        own = self._header_factory(context) if self._header_factory is not None else {}
        for given in (context.headers, own):
            for name, value in given.items():
                if name.lower() not in _NOT_PASSED_ON:
                    headers[name.lower()] = value
        return {**headers, **_FIXED_HEADERS}

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


def _encoded_variables(variables: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(variables)
    except TypeError:
        # Integers beyond 64 bits, which only the standard library writes.
        return json.dumps(variables).encode()
