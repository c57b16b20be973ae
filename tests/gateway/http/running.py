"""A small gateway for tests of the HTTP layer: one subgraph, answered in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema, build_schema

from gateway.access.authentication import Authenticator
from gateway.access.signing_keys import DEVELOPMENT_ISSUER, DevelopmentKey, TrustedIssuer
from gateway.access.tokens import development_token
from gateway.assembly.engine import assemble_engine
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from gateway.http.app import Running, create_app
from gateway.http.cost import OperationCosts
from gateway.http.limits import EndpointLimits
from gateway.transports.in_process import InProcessTransport
from kernel.callers import Caller, CallerKind
from kernel.database import Database
from kernel.ids import SeededIds, derived_id

SDL = """
type Query {
  greeting(to: String = "you"): String
  big(value: Long): String
  broken: String
  slow: String
  secret: String @authenticated
  till: String @requiresScopes(scopes: [["merchant"]])
  office: Office
  nested: Nested
}
type Mutation { rename(to: String!): String }
type Nested {
  page(first: Int! = 10): [Nested]
  open(last: Int): [Nested]
  nested: Nested
  name: String
}
type Office @requiresScopes(scopes: [["admin"]]) { name: String }
scalar Long
"""
LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", '
    'import: ["@authenticated", "@requiresScopes"])'
)
DIRECTIVES = """
directive @authenticated on FIELD_DEFINITION | OBJECT
directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT
"""
AUDIENCE = "alliance"
MEMBER_ID = derived_id("mem", "test")
MERCHANT_ID = derived_id("mer", "test")
GRAPHQL = "application/graphql-response+json"


@dataclass
class Greetings:
    """A subgraph that notes the context of every request."""

    contexts: list[CallContext] = field(default_factory=list)

    @property
    def schema(self) -> GraphQLSchema:
        schema = build_schema(DIRECTIVES + SDL)
        queries = schema.query_type.fields
        queries["greeting"].resolve = lambda _root, _info, to: f"Hello {to}"
        queries["big"].resolve = lambda _root, _info, value: repr(value)
        queries["broken"].resolve = _break
        queries["slow"].resolve = _wait_for_ever
        queries["secret"].resolve = lambda _root, _info: "member only"
        queries["till"].resolve = lambda _root, _info: "merchant only"
        queries["office"].resolve = lambda _root, _info: {"name": "admin only"}
        schema.mutation_type.fields["rename"].resolve = lambda _root, _info, to: to
        return schema

    @property
    def context_factory(self) -> Callable[[CallContext], Any]:
        return self._note

    def _note(self, context: CallContext) -> CallContext:
        self.contexts.append(context)
        return context


def _break(_root: object, _info: object) -> str:
    raise KeyError("a secret of the house")


async def _wait_for_ever(_root: object, _info: object) -> str:
    await asyncio.Event().wait()
    raise AssertionError("nothing sets the event")


@dataclass
class Server:
    """A running gateway, and what it was asked."""

    client: httpx.AsyncClient
    subgraph: Greetings
    key: DevelopmentKey

    @property
    def context(self) -> CallContext:
        return self.subgraph.contexts[-1]

    def token(self, kind: CallerKind, **options: Any) -> str:
        subject = {"member": MEMBER_ID, "merchant": MERCHANT_ID}.get(kind, "ada")
        return development_token(
            self.key,
            Caller(kind, subject, **options),
            audience=AUDIENCE,
            now=time.time(),
            lifetime_s=60,
        )

    def bearer(self, kind: CallerKind, **options: Any) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(kind, **options)}"}

    async def post(self, query: str, *, headers: Any = None, **body: Any) -> httpx.Response:
        return await self.client.post(
            "/graphql", json={"query": query, **body}, headers=headers or {}
        )


@asynccontextmanager
async def serving(
    directory: Path,
    *,
    limits: EndpointLimits | None = None,
    engine: Any = None,
    with_explorer: bool = False,
    cost_max: int | None = None,
    tells_plans: bool = False,
    databases: Mapping[str, Database] | None = None,
) -> AsyncIterator[Server]:
    """The gateway, served without a socket."""
    limits = limits or EndpointLimits()
    subgraph = Greetings()
    composition = compose([SubgraphSdl("greetings", "", f"{LINK}\n{SDL}")])
    key = DevelopmentKey.open(directory)

    @asynccontextmanager
    async def open_gateway() -> AsyncIterator[Running]:
        async def card_of_member(member_id: str) -> str | None:
            return "card_of_" + member_id

        authenticator = Authenticator(
            [TrustedIssuer(DEVELOPMENT_ISSUER, AUDIENCE, key)],
            unix_time=time.time,
            card_of_member=card_of_member,
        )
        await authenticator.refresh()
        supergraph = Supergraph.parse(composition.supergraph_sdl)
        transports = {"greetings": InProcessTransport(subgraph)}
        yield Running(
            engine or assemble_engine(supergraph, transports, limits=limits.operation),
            authenticator,
            OperationCosts(supergraph.public_schema, cost_max=cost_max) if cost_max else None,
            databases=databases or {},
        )

    app = create_app(
        open_gateway,
        ids=SeededIds("http"),
        limits=limits,
        with_explorer=with_explorer,
        tells_plans=tells_plans,
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield Server(client, subgraph, key)
