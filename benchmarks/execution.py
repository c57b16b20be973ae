"""Answers from three subgraphs beside graphql-core answering the same from one schema.

Users wrote reviews of products that a third subgraph has in stock: some 550 objects and 1 500
fields in a few requests, whose canned replies are read from JSON each time, as over HTTP. The
yardstick resolves the same fields from plain dictionaries. Processor time, plans cached.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from graphql import build_schema, execute, parse

from gateway.assembly.engine import assemble_engine
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.engine import EngineRequest
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest

ROUNDS = 5
ANSWERS = 20
USERS, REVIEWS, PRODUCTS = 6, 24, 9

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'
SDL = {
    "users": 'type Query { users: [User] } type User @key(fields: "id") { id: ID! name: String }',
    "reviews": """
        type Review { id: ID! body: String product: Product author: User }
        type User @key(fields: "id") { id: ID! reviews: [Review] }
        type Product @key(fields: "id") { id: ID! reviews: [Review] }
    """,
    "products": """
        type Query { best: [Product] }
        type Product @key(fields: "id") { id: ID! name: String price: Int inStock: Boolean }
    """,
}
PRODUCT = "{ id name price inStock }"
QUERY = f"""
{{
  users {{
    name
    reviews {{
      body
      product {{
        id name price inStock
        reviews {{ body author {{ name reviews {{ body product {PRODUCT} }} }} }}
      }}
    }}
  }}
  best {{ name reviews {{ body author {{ name reviews {{ body product {PRODUCT} }} }} }} }}
}}
"""


def _user(number: int) -> dict[str, Any]:
    return {"__typename": "User", "id": str(number), "name": f"user {number}"}


def _product(number: int) -> dict[str, Any]:
    name = f"product {number}"
    return {"__typename": "Product", "id": str(number), "name": name, "price": 5, "inStock": True}


def _review(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "body": f"review {number}",
        "author": _user(number % USERS),
        "product": _product(number % PRODUCTS),
    }


def _reviews_of(entity: dict[str, Any]) -> list[dict[str, Any]]:
    count = USERS if entity["__typename"] == "User" else PRODUCTS
    found = [number for number in range(REVIEWS) if number % count == int(entity["id"])]
    return [_review(number) for number in found[:3]]


def _resolve(source: Any, info: Any) -> Any:
    """The yardstick's resolver, of every field."""
    if info.field_name == "users":
        return [_user(number) for number in range(USERS)]
    if info.field_name == "best":
        return [_product(number) for number in range(5)]
    return _reviews_of(source) if info.field_name == "reviews" else source[info.field_name]


class _Canned:
    """A subgraph that answers a request it has seen before from the bytes of its first reply."""

    def __init__(self, sdl: str) -> None:
        entities = "scalar _Any union _Entity = " + " | ".join(
            name for name in ("User", "Product") if f"type {name} " in sdl
        )
        sdl = sdl.replace('@key(fields: "id")', "")
        query = "extend type Query" if "type Query" in sdl else "type Query"
        field = "_entities(representations: [_Any!]!): [_Entity]!"
        self._schema = build_schema(f"{sdl} {entities} {query} {{ {field} }}")
        self._replies: dict[tuple[str, bytes], bytes] = {}
        self.requests = 0

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        self.requests += 1
        key = (request.document, orjson.dumps(dict(request.variables)))
        reply = self._replies.get(key)
        if reply is None:
            reply = self._replies[key] = orjson.dumps(self._answer(request))
        return SubgraphReply(orjson.loads(reply))

    def _answer(self, request: SubgraphRequest) -> Any:
        result = execute(
            self._schema,
            parse(request.document),
            variable_values=dict(request.variables),
            field_resolver=_resolve_entity,
            type_resolver=lambda source, *_: source["__typename"],
        )
        return result.data  # type: ignore[union-attr]


def _resolve_entity(source: Any, info: Any, representations: Any = None) -> Any:
    if info.field_name != "_entities":
        return _resolve(source, info)
    makers = {"User": _user, "Product": _product}
    return [makers[given["__typename"]](int(given["id"])) for given in representations]


async def _cpu_ms(answer: Callable[[], Awaitable[object]]) -> float:
    started = time.process_time()
    for _ in range(ANSWERS):
        await answer()
    return (time.process_time() - started) * 1_000 / ANSWERS


async def _run() -> None:
    composition = compose([SubgraphSdl(name, "", LINK + sdl) for name, sdl in SDL.items()])
    supergraph = Supergraph.parse(composition.supergraph_sdl)
    transports = {name: _Canned(sdl) for name, sdl in SDL.items()}
    engine = assemble_engine(supergraph, transports)
    document = parse(QUERY)

    async def ours() -> bytes:
        answer = await engine.execute(EngineRequest(QUERY), CallContext())
        return orjson.dumps(answer.as_json())

    async def yardstick() -> bytes:
        result = execute(supergraph.public_schema, document, field_resolver=_resolve)
        return orjson.dumps({"data": result.data})  # type: ignore[union-attr]

    started = time.process_time()
    first = await ours()
    first_ms = (time.process_time() - started) * 1_000
    assert orjson.loads(first) == orjson.loads(await yardstick())
    requests = sum(transport.requests for transport in transports.values())
    pairs = [(await _cpu_ms(ours), await _cpu_ms(yardstick)) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    mine = statistics.median(pair[0] for pair in pairs)
    theirs = statistics.median(pair[1] for pair in pairs)
    print(f"first answer, parsed, validated, planned and compiled: {first_ms:.1f} ms")
    print(
        f"answer: engine {mine:.2f} ms of processor time in {requests} requests, "
        f"graphql-core {theirs:.2f} ms, ratio {ratio:.2f}"
    )


def main() -> None:
    """Prints the ratio, and what the first answer takes."""
    asyncio.run(_run())
