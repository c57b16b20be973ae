"""Writes GraphQL-over-HTTP answers: media type, status and body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson

from gateway.federation.engine import EngineAnswer
from gateway.federation.faults import Fault, FaultCode
from gateway.federation.plan_printing import plan_text
from gateway.http.request import HttpRefused, quality

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CHALLENGE = 'Bearer realm="alliance"'
"""`WWW-Authenticate` of an answer that asks for a token."""

_STATUS_BY_CODE = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    str(FaultCode.INTERNAL): 500,
}


class MediaType(Enum):
    """How an answer is labelled; the body is the same."""

    GRAPHQL_RESPONSE = b"application/graphql-response+json; charset=utf-8"
    JSON = b"application/json; charset=utf-8"


_WEIGHED_RANGES = {
    "application/graphql-response+json": (MediaType.GRAPHQL_RESPONSE, 2),
    "application/json": (MediaType.JSON, 2),
    "application/*": (MediaType.JSON, 1),
    "*/*": (MediaType.JSON, 0),
}


@lru_cache(maxsize=256)
def media_type_for(accept: str) -> MediaType | None:
    """The media type that fits an Accept header best; None when none does.

    Clients that do not say, or take anything, get `application/json`, as older ones expect.
    Of two liked equally, the one named first is taken.
    """
    if not accept.strip():
        return MediaType.JSON
    best: MediaType | None = None
    best_rank = (0.0, -1)
    for item in accept.lower().split(","):
        name, _, parameters = item.partition(";")
        known = _WEIGHED_RANGES.get(name.strip())
        weight = quality(parameters)
        if known is not None and weight > 0 and (weight, known[1]) > best_rank:
            best, best_rank = known[0], (weight, known[1])
    return best


def status_of(answer: EngineAnswer, media_type: MediaType) -> int:
    """The HTTP status of an answer to a well-formed request."""
    if media_type is MediaType.JSON or answer.executed:
        return 200
    return status_of_faults(answer.errors)


def status_of_faults(faults: Sequence[Fault]) -> int:
    """The HTTP status for an operation that was not run."""
    for fault in faults:
        if fault.code in _STATUS_BY_CODE:
            return _STATUS_BY_CODE[fault.code]
    return 400


def body_of(answer: EngineAnswer, cost: int | None = None, *, with_plan: bool = False) -> bytes:
    """The answer as JSON, with the operation's cost when it was counted.

    Args:
        with_plan: tell the plan that was run, too.
    """
    response = answer.as_json()
    extensions: dict[str, object] = {}
    if cost is not None:
        extensions["cost"] = cost
    if with_plan and answer.plan is not None:
        extensions["queryPlan"] = plan_text(answer.plan)
    if extensions:
        response["extensions"] = extensions
    return orjson.dumps(response)


def body_of_refusal(refused: HttpRefused) -> bytes:
    """An HTTP error in the shape of a GraphQL response."""
    fault = Fault(refused.message, refused.code, extensions=_extensions_of(refused))
    return orjson.dumps({"errors": [fault.as_json()]})


def _extensions_of(refused: HttpRefused) -> dict[str, object]:
    return {"retryable": True} if refused.status == 503 else {}


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    media_type: bytes,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Sends one whole response."""
    raw_headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        (b"cache-control", b"no-store"),
    ]
    if headers:
        raw_headers += [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw_headers})
    await send({"type": "http.response.body", "body": body})
