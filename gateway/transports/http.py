"""Reaches a remote subgraph over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
import orjson

from gateway.federation.faults import FaultCode
from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)

REPLY_BYTES_MAX: Final = 10 * 1024 * 1024
TIMEOUT_S: Final = 10.0
CONNECTIONS_MAX: Final = 100

# Shorter than what common servers grant an idle connection, so that they rarely close one first.
_KEEP_ALIVE_S: Final = 4.0
_DOCUMENTS_MAX: Final = 5_000

# The subgraph is near: compressing costs more than it saves, and can hide a huge reply.
_FIXED_HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept": "application/graphql-response+json, application/json;q=0.9",
    "Accept-Encoding": "identity",
}

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
        self._url = url
        self._name = name
        self._timeout_s = timeout_s
        self._reply_bytes_max = reply_bytes_max
        self._connections_max = connections_max
        self._header_factory = header_factory
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False
        self._encoded_documents: dict[str, bytes] = {}

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply.

        Raises:
            TransportFailed: no connection, no answer in time, or none that is GraphQL.
        """
        until = asyncio.get_running_loop().time() + self._timeout_s
        if context.deadline is not None:
            until = min(until, context.deadline)
        headers = {**context.headers, **_FIXED_HEADERS}
        if self._header_factory is not None:
            headers.update(self._header_factory(context))
        body = self._encoded(request)
        try:
            async with asyncio.timeout_at(until):
                status, reply = await self._posted(
                    body, headers, may_repeat=request.kind == "query"
                )
        except TimeoutError:
            raise TransportFailed(
                f"Subgraph {self._name} did not answer in time.", code=FaultCode.SUBGRAPH_TIMEOUT
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise self._unavailable("can not be reached") from error
        return self._read(status, reply)

    async def aclose(self) -> None:
        """Closes every connection; later calls fail."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

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

    async def _posted(
        self, body: bytes, headers: Mapping[str, str], *, may_repeat: bool
    ) -> tuple[int, bytes]:
        try:
            return await self._posted_once(body, headers)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            # A kept connection that the server closed meanwhile looks like this. Only what
            # changes nothing may be sent again.
            if not may_repeat:
                raise
            return await self._posted_once(body, headers)

    async def _posted_once(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with self._opened().post(
            self._url, data=body, headers=headers, allow_redirects=False
        ) as response:
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > self._reply_bytes_max:
                    response.close()
                    raise self._malformed("gave a reply that is too long")
                chunks.append(chunk)
            return response.status, b"".join(chunks)

    def _opened(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise self._unavailable("is no longer connected")
        if self._session is None:
            # Made here and not in the constructor: a session belongs to the running loop.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections_max, keepalive_timeout=_KEEP_ALIVE_S
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            )
        return self._session

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
