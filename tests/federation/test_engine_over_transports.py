"""The whole engine over one subgraph in this process, one behind HTTP and one that is sharded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from graphql import GraphQLSchema, build_schema

from gateway.federation.engine import Engine, EngineAnswer, EngineRequest, Planning
from gateway.federation.plan import (
    Each,
    EntityInput,
    Fetch,
    Key,
    Parallel,
    Plan,
    ProjectedField,
    Projection,
    RepresentationField,
    RepresentationShape,
    Sequence,
    TypeShape,
)
from gateway.federation.transport import CallContext, SubgraphRequest, Transport, TransportFailed
from gateway.transports.http import HttpTransport
from gateway.transports.in_process import InProcessTransport
from gateway.transports.sharded import ShardedTransport

ENTITIES = "scalar _Any  type Query { _entities(representations: [_Any!]!): [Seat]! %s }"
STRING = TypeShape(True, None, "String")


@dataclass
class Hosted:
    schema: GraphQLSchema
    context_factory: Callable[[CallContext], Any] = lambda context: None


def subgraph(field: str, answer: Callable[[dict[str, Any]], Any], root: str = "") -> Hosted:
    schema = build_schema(ENTITIES % root + f" type Seat {{ id: ID!  hall: ID!  {field}: String }}")
    fields = schema.query_type.fields  # type: ignore[union-attr]
    fields["_entities"].resolve = lambda source, info, representations: representations
    schema.type_map["Seat"].fields[field].resolve = (  # type: ignore[attr-defined]
        lambda source, info: answer(source)
    )
    return Hosted(schema)


def seats() -> Hosted:
    hosted = subgraph("row", lambda seat: f"row {seat['id']}", "seats: [Seat]")
    all_seats = [{"id": str(n), "hall": "north" if n % 2 else "south"} for n in range(4)]
    hosted.schema.query_type.fields["seats"].resolve = (  # type: ignore[union-attr]
        lambda source, info: all_seats
    )
    return hosted


def entity_fetch(name: str, field: str) -> Fetch:
    shape = RepresentationShape(
        frozenset({"Seat"}),
        None,
        (RepresentationField("id", "id"), RepresentationField("hall", "hall")),
        frozenset({"id", "hall"}),
    )
    return Fetch(
        name,
        "query",
        f"query($r: [_Any!]!) {{ _e0: _entities(representations: $r) {{ {field} }} }}",
        inputs=(EntityInput("_e0", "r", (Key("seats"), Each()), (shape,)),),
    )


PLAN = Plan(
    "query",
    Sequence(
        (
            Fetch("seats", "query", "{ seats { __typename id hall row } }"),
            Parallel((entity_fetch("prices", "price"), entity_fetch("guests", "guest"))),
        )
    ),
    Projection(
        "Query",
        {
            "Query": (
                ProjectedField(
                    "seats",
                    "seats",
                    "seats",
                    TypeShape(True, TypeShape(True, None, "Seat")),
                    Projection(
                        "Seat",
                        {
                            "Seat": tuple(
                                ProjectedField(name, name, name, STRING)
                                for name in ("row", "price", "guest")
                            )
                        },
                    ),
                ),
            )
        },
    ),
)
PUBLIC = build_schema(
    "type Query { seats: [Seat] }  type Seat { row: String  price: String  guest: String }"
)


@pytest.fixture
async def prices() -> AsyncIterator[HttpTransport]:
    """A subgraph that is served over HTTP on loopback."""
    hosted = InProcessTransport(
        subgraph("price", lambda seat: f"{seat['id']}00"), validate_documents=True
    )

    async def serve(request: web.Request) -> web.Response:
        body = await request.json()
        reply = await hosted.execute(
            SubgraphRequest(body["query"], "query", body.get("variables") or {}), CallContext()
        )
        return web.json_response({"data": reply.data, "errors": reply.errors})

    app = web.Application()
    app.router.add_post("/graphql", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    transport = HttpTransport(f"http://127.0.0.1:{runner.addresses[0][1]}/graphql", name="prices")
    yield transport
    await transport.aclose()
    await runner.cleanup()


class Halls:
    def __init__(self, **halls: Transport) -> None:
        self._halls = halls

    def shard_of(self, key: str) -> Transport:
        if key not in self._halls:
            raise TransportFailed("The hall is closed.", code="SUBGRAPH_UNAVAILABLE")
        return self._halls[key]


async def answered(prices: Transport, **halls: Transport) -> EngineAnswer:
    guests = ShardedTransport(
        Halls(**halls), shard_keys={"Seat": "hall"}, routes={}, extension_name="hall"
    )
    transports = {"seats": InProcessTransport(seats()), "prices": prices, "guests": guests}
    engine = Engine(PUBLIC, Planning(lambda *_: PLAN, lambda *_: ()), transports)
    return await engine.execute(
        EngineRequest("{ seats { row price guest } }"), CallContext(request_id="r")
    )


def guests_of(hall: str) -> InProcessTransport:
    return InProcessTransport(subgraph("guest", lambda seat: f"{seat['id']} in {hall}"))


async def test_one_answer_is_put_together_from_three_kinds_of_subgraph(
    prices: HttpTransport,
) -> None:
    answer = await answered(prices, north=guests_of("N"), south=guests_of("S"))

    assert answer.errors == ()
    assert answer.data == {
        "seats": [
            {"row": "row 0", "price": "000", "guest": "0 in S"},
            {"row": "row 1", "price": "100", "guest": "1 in N"},
            {"row": "row 2", "price": "200", "guest": "2 in S"},
            {"row": "row 3", "price": "300", "guest": "3 in N"},
        ]
    }


async def test_a_closed_shard_costs_its_own_fields_and_is_named(prices: HttpTransport) -> None:
    answer = await answered(prices, north=guests_of("N"))

    assert answer.data is not None
    assert [seat["guest"] for seat in answer.data["seats"]] == [None, "1 in N", None, "3 in N"]
    assert [fault.path for fault in answer.errors] == [("seats", 0), ("seats", 2)]
    assert answer.errors[0].as_json()["extensions"] == {
        "code": "SUBGRAPH_UNAVAILABLE",
        "subgraph": "guests",
        "hall": "south",
    }
