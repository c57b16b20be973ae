"""Reads GraphQL-over-HTTP requests: body, query string and the headers that matter."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from gateway.federation.engine import EngineRequest

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_PARAMETERS_MAX = 16
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_JSON_TYPES = frozenset(
    {"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"}
)


class HttpRefused(Exception):
    """The request is answered by an HTTP error before any GraphQL is read.

    Attributes:
        status: HTTP status code.
        code: `extensions.code` of the one error in the body.
        message: one sentence for people.
        headers: further response headers.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers: Mapping[str, str] = headers or {}


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


def bad_request(message: str) -> HttpRefused:
    """The refusal of a request that is not well-formed."""
    return HttpRefused(400, "BAD_REQUEST", message)


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Header values by lower-case name; a repeated header is joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def check_content_type(headers: Mapping[str, str]) -> None:
    """Nothing, when the body is JSON in UTF-8.

    Raises:
        HttpRefused: 415, it is something else or does not say.
    """
    given = headers.get("content-type", "").strip().lower()
    if given not in _JSON_TYPES and not _is_json_in_utf8(given):
        raise HttpRefused(
            415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json in UTF-8, and say so."
        )
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise HttpRefused(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body without compression.")


def _is_json_in_utf8(content_type: str) -> bool:
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    if media_type != "application/json":
        return False
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            return False
    return True


async def read_body(headers: Mapping[str, str], receive: Receive, *, bytes_max: int) -> bytes:
    """The whole body, read as it arrives and never beyond `bytes_max`.

    Raises:
        HttpRefused: 413, the body is longer, or says that it will be.
        ClientGone: the client left.
    """
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced[:20]) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        if length > bytes_max:
            raise _too_large(bytes_max)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(bytes_max: int) -> HttpRefused:
    # The rest of the body is not read, so the connection can not be used again.
    return HttpRefused(
        413,
        "REQUEST_TOO_LARGE",
        f"A request has at most {bytes_max} bytes.",
        {"connection": "close"},
    )


def operation_of_body(body: bytes) -> EngineRequest:
    """The operation that a JSON body asks for.

    Raises:
        HttpRefused: 400, it is not JSON or not one well-formed request.
    """
    given = strict_json(body, what="body")
    if isinstance(given, list):
        raise bad_request("Batches are not taken: send one operation per request.")
    if not isinstance(given, dict):
        raise bad_request("The body is a JSON object with `query`.")
    return _operation(
        given.get("query"),
        given.get("operationName"),
        given.get("variables"),
        given.get("extensions"),
    )


def operation_of_query_string(query_string: bytes) -> EngineRequest:
    """The operation that the query component of a URL asks for.

    Raises:
        HttpRefused: 400, it is not one well-formed request.
    """
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except ValueError:
        raise bad_request("The query string can not be read.") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise bad_request("A parameter is given twice.")
    return _operation(
        given.get("query"),
        given.get("operationName") or None,
        _json_parameter(given, "variables"),
        _json_parameter(given, "extensions"),
    )


def _json_parameter(given: Mapping[str, str], name: str) -> object:
    text = given.get(name, "")
    return strict_json(text.encode(), what=name) if text else None


def _operation(
    query: object, operation_name: object, variables: object, extensions: object
) -> EngineRequest:
    if not isinstance(query, str):
        raise bad_request("`query` is the text of a GraphQL document.")
    if operation_name is not None and not isinstance(operation_name, str):
        raise bad_request("`operationName` is text.")
    if variables is not None and not isinstance(variables, dict):
        raise bad_request("`variables` is an object.")
    if extensions is not None and not isinstance(extensions, dict):
        raise bad_request("`extensions` is an object.")
    return EngineRequest(query, operation_name, variables or {})


def strict_json(text: bytes, *, what: str) -> Any:
    """The JSON value; a name that stands twice in one object is refused, and so is NaN.

    Raises:
        HttpRefused: 400, it is not such JSON.
    """
    try:
        value = orjson.loads(text)
        # Text that comes back byte for byte lost nothing, so no name stood twice in it. Other
        # text (spaces, escapes) is read again by a parser that shows every name.
        if orjson.dumps(value) != text:
            _SHOWING_NAMES.decode(text.decode())
    except _RepeatedName as repeated:
        raise bad_request(f"The {what} names {str(repeated)!r} twice.") from None
    except (ValueError, TypeError, RecursionError):
        raise bad_request(f"The {what} is not JSON.") from None
    return value


class _RepeatedName(Exception):
    pass


def _refuse_repeated_names(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise _RepeatedName(name[:80])
        seen.add(name)


_SHOWING_NAMES = json.JSONDecoder(object_pairs_hook=_refuse_repeated_names)


def deadline_ms(headers: Mapping[str, str], *, ms_max: int) -> int:
    """Milliseconds that the client gives the answer; `ms_max` when it does not say, or says more.

    Raises:
        HttpRefused: 400, `X-Deadline-Ms` is not a positive whole number.
    """
    given = headers.get("x-deadline-ms")
    if given is None:
        return ms_max
    if not (given.isascii() and given.isdigit() and len(given) <= 18 and int(given) > 0):
        raise bad_request("X-Deadline-Ms is a positive whole number of milliseconds.")
    return min(int(given), ms_max)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The id that the client gave its request; None when it gave none that is fit for a log."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.match(given) else None


def language_of(headers: Mapping[str, str]) -> str:
    """`zh` or `en`, whichever the client likes better; `en` when it does not say."""
    return _language_liked_best(headers.get("accept-language", ""))


@lru_cache(maxsize=256)
def _language_liked_best(accepted: str) -> str:
    best, best_weight = "en", 0.0
    for item in accepted.lower().split(","):
        tag, _, parameter = item.partition(";")
        language = tag.strip().split("-")[0]
        weight = quality(parameter)
        if language in ("zh", "en") and weight > best_weight:
            best, best_weight = language, weight
    return best


def quality(parameters: str) -> float:
    """The weight `q` among the parameters of one entry of an Accept header; 1 when not given."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value.strip())
            except ValueError:
                return 0.0
            return weight if 0.0 <= weight <= 1.0 else 0.0
    return 1.0
