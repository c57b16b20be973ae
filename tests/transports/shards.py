"""Halls as shards: a directory of them, what they answer, and what is asked of them."""

from __future__ import annotations

from typing import Any

from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    Transport,
    TransportFailed,
)
from gateway.transports.sharded import ByArgument, FixedShard, ShardedTransport
from tests.federation.scripted import ScriptedTransport


class Directory:
    """Shards by key; a key that is missing is unknown."""

    def __init__(self, **transports: Transport) -> None:
        self._transports = transports

    def shard_of(self, key: str) -> Transport:
        if key not in self._transports:
            raise TransportFailed("No such shard.", code="SUBGRAPH_UNAVAILABLE")
        return self._transports[key]


def embedded(value: Any) -> str:
    """`north/7` embeds `north`."""
    if not isinstance(value, str) or "/" not in value:
        raise ValueError(value)
    return value.split("/")[0]


def sharded(*, timeout_s: float = 5, **transports: Transport) -> ShardedTransport:
    return ShardedTransport(
        Directory(**transports),
        shard_keys={"Seat": "hall", "Hall": "id", "Person": FixedShard("all")},
        routes={
            "plan": ByArgument(("input", "hall")),
            "ticket": ByArgument(("id",), embedded),
            "book": ByArgument(("input", "hall")),
            "people": FixedShard("all"),
        },
        extension_name="hall",
        timeout_s=timeout_s,
    )


def naming(shard: str) -> ScriptedTransport:
    """A shard that answers each entity with its own name and the entity's id."""

    def answer(request: SubgraphRequest, context: CallContext) -> dict[str, Any]:
        return {
            alias: [{"by": f"{shard}:{r['id']}"} for r in request.variables[variable]]
            for alias, variable in (("_e0", "r0"), ("_e1", "r1"))
            if variable in request.variables
        }

    return ScriptedTransport(answer=answer)


def seat(id: str, hall: Any) -> dict[str, Any]:
    return {"__typename": "Seat", "id": id, "hall": hall}


ENTITIES = "query($r0: [_Any!]!) { _e0: _entities(representations: $r0) { ... on Seat { by } } }"
SEATS = [seat("1", "north"), seat("2", "south"), seat("3", "north")]


def query(document: str, **variables: Any) -> SubgraphRequest:
    return SubgraphRequest(document, "query", variables)


async def entities(transport: ShardedTransport, *seats: Any) -> SubgraphReply:
    return await transport.execute(query(ENTITIES, r0=list(seats)), CallContext())


def places(reply: SubgraphReply) -> list[tuple[Any, Any, Any]]:
    return [
        (error.get("path"), error["extensions"].get("code"), error["extensions"].get("hall"))
        for error in reply.errors
    ]
