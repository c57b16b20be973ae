"""Builders for tests of the whole gateway."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from gateway.access.signing_keys import DevelopmentKey
from gateway.access.tokens import development_token
from gateway.assembly.serving import gateway_app
from gateway.settings import Settings
from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock
from kernel.ids import SeededIds

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class GatewayUnderTest:
    """A gateway over a data directory, asked without a socket."""

    client: httpx.AsyncClient
    clock: SetClock
    directory: Path

    def token(self, kind: CallerKind, subject: str, **options: Any) -> str:
        """A development token of this gateway, good for an hour of real time."""
        return development_token(
            DevelopmentKey.open(self.directory),
            Caller(kind, subject, **options),
            audience="alliance",
            now=time.time(),
            lifetime_s=3_600,
        )

    async def ask(
        self,
        query: str,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **variables: Any,
    ) -> dict[str, Any]:
        """The whole answer to one operation, errors included."""
        given = dict(headers or {})
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables}, headers=given
        )
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, query: str, **options: Any) -> dict[str, Any]:
        """The data of an answer that must have no errors."""
        answer = await self.ask(query, **options)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is started, and stopped on leaving."""
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield client


@asynccontextmanager
async def running_gateway(
    directory: Path, *, now: datetime = START, seed: str = "gateway", **settings: Any
) -> AsyncIterator[GatewayUnderTest]:
    """The gateway over `directory`, with a clock that stands and ids that repeat."""
    clock = SetClock(now)
    app = gateway_app(
        Settings(data=directory, **settings),
        directory=directory,
        clock=clock,
        ids=SeededIds(seed),
    )
    async with running(app) as client:
        yield GatewayUnderTest(client, clock, directory)
