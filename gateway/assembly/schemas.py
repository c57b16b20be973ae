"""The schemas of the alliance's own subgraphs, and the supergraph they compose to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from graphql import print_schema

from gateway.alliance.subgraph import alliance_schema
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.supergraph import Supergraph
from kernel.subgraph import SubgraphSchema
from ledger.subgraph import ledger_schema
from merchants.subgraph import merchants_schema


def subgraph_schemas() -> dict[str, SubgraphSchema]:
    """Every subgraph's schema by its name; needs no database."""
    schemas = (alliance_schema(), ledger_schema(), merchants_schema())
    return {schema.name: schema for schema in schemas}


def supergraph_sdl(url_by_subgraph: Mapping[str, str] | None = None) -> str:
    """The supergraph in the join specification.

    Args:
        url_by_subgraph: where other routers reach the subgraphs; empty where none is given.

    Raises:
        CompositionFailed: the subgraphs contradict each other.
    """
    urls = url_by_subgraph or {}
    return compose(
        [
            SubgraphSdl(name, urls.get(name, ""), schema.sdl)
            for name, schema in subgraph_schemas().items()
        ]
    ).supergraph_sdl


@cache
def own_supergraph() -> Supergraph:
    """What the subgraphs compose to; composed once a process, since code does not change."""
    return Supergraph.parse(supergraph_sdl())


def public_sdl() -> str:
    """The schema that clients see; `schema.graphql` holds it."""
    return print_schema(own_supergraph().public_schema) + "\n"
