"""Changes that clients ask for: one answer per request id, kept with what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.ids import MalformedId, is_id, merchant_of
from kernel.refusals import NotFound
from kernel.request_keys import check_request_id
from kernel.requests import Answer, RequestKey, RequestLog, hash_of
from merchants.hosted import HostedBackend
from merchants.tables import requests

_log = RequestLog(requests)


async def answer_once(
    backend: HostedBackend,
    caller: Caller,
    operation: str,
    *,
    request_id: str,
    body: object,
    work: Callable[[Connection], dict[str, Any]],
) -> Answer:
    """The outcome of `work`, or of the caller's first request with this id.

    Raises:
        InvalidInput: the request id is beyond its limits.
        RequestIdReused, RequestInProgress: see `kernel.requests`.
        Refusal: `work` refused, and a later try may be answered otherwise.
    """
    check_request_id(request_id)
    key = RequestKey(caller.key, operation, request_id, hash_of(body))
    now = backend.clock.now()
    return await backend.database.transaction(
        lambda connection: _log.answer_once(connection, key, now=now, work=lambda: work(connection))
    )


def merchant_of_id(text: str, prefix: str) -> str:
    """The merchant of an id of that kind.

    Raises:
        NotFound: the text is no such id.
    """
    try:
        merchant_id = merchant_of(text)
    except MalformedId as error:
        raise NotFound(text) from error
    if not is_id(text, prefix, within_merchant=True):
        raise NotFound(text)
    return merchant_id
