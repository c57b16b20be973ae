"""A GraphQL client that asks until it is answered, with the same request id each time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Self

import aiohttp
import orjson

ATTEMPTS_MAX = 5
PATIENT_ATTEMPTS_MAX = 24
"""Where the server answers that it can not yet: some 100 s, longer than the lease of a server that
died with the request in work."""
PAUSE_MAX_S = 5.0
TIMEOUT_S = 120
CONNECTIONS_MAX = 64


class FeedFailed(Exception):
    """The server gave an answer that does not fit what was fed, or none."""


class GraphQLClient:
    """Sends operations to one server.

    Every mutation sent through it carries a request id, so that asking again is safe.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        )
        self.requests_sent = 0

    async def ask(self, document: str, variables: Mapping[str, Any], *, token: str) -> Any:
        """The `data` of the answer.

        Raises:
            FeedFailed: no answer after several tries, or one with errors.
        """
        body = orjson.dumps({"query": document, "variables": variables})
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        fault = ""
        silent = 0
        for attempt in range(PATIENT_ATTEMPTS_MAX):
            await _pause_before(attempt)
            self.requests_sent += 1
            try:
                async with self._session.post(self._url, data=body, headers=headers) as response:
                    answer = orjson.loads(await response.read())
            except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
                fault = f"{type(error).__name__}: {error}"
                silent += 1
                if silent == ATTEMPTS_MAX:
                    break
                continue
            if not answer.get("errors"):
                return answer["data"]
            fault = str(answer["errors"][:3])
            if not _may_pass(answer["errors"]):
                break
        raise FeedFailed(f"{document.split('(')[0]}: {fault}")

    async def change(
        self,
        document: str,
        variables: Mapping[str, Any],
        *,
        token: str,
        success: str,
        allowed: tuple[str, ...] = (),
    ) -> Any:
        """The member of the mutation's union, of type `success` or one of `allowed`.

        Raises:
            FeedFailed: it was refused otherwise.
        """
        outcome: Any = None
        for attempt in range(PATIENT_ATTEMPTS_MAX):
            await _pause_before(attempt)
            data = await self.ask(document, variables, token=token)
            outcome = next(iter(data.values()))
            if outcome["__typename"] == success or outcome["__typename"] in allowed:
                return outcome
            if not outcome.get("retryable"):
                break
        raise FeedFailed(f"{document.split('(')[0]}: {outcome} for {variables}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


_PASSING = {"OVERLOADED", "SUBGRAPH_TIMEOUT", "SUBGRAPH_UNAVAILABLE", "RATE_LIMITED"}


async def _pause_before(attempt: int) -> None:
    if attempt:
        await asyncio.sleep(min(0.1 * 2**attempt, PAUSE_MAX_S))


def _may_pass(errors: list[dict[str, Any]]) -> bool:
    return all(error.get("extensions", {}).get("code") in _PASSING for error in errors)
