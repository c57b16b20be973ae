"""Plans operations over small supergraphs written in tests."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent
from typing import Any

from graphql import parse, validate

from gateway.federation.plan import Plan
from gateway.federation.plan_printing import plan_text
from gateway.federation.planner import plan_operation
from gateway.federation.supergraph import Supergraph


def supergraph_of(body: str, *, subgraphs: str = "A B C") -> Supergraph:
    """A supergraph with these subgraphs: `A` is named `a`."""
    names = subgraphs.split()
    graphs = " ".join(f'{name} @join__graph(name: "{name.lower()}", url: "")' for name in names)
    everywhere = " ".join(f"@join__type(graph: {name})" for name in names)
    body = body.replace("@everywhere", everywhere)
    return Supergraph.parse(f"enum join__Graph {{ {graphs} }}\n{body}")


def planned(
    supergraph: Supergraph, operation: str, variables: Mapping[str, Any] | None = None
) -> Plan:
    """The plan of a valid operation."""
    document = parse(operation)
    assert validate(supergraph.public_schema, document) == []
    return plan_operation(supergraph, document, None, variables or {})


def printed(
    supergraph: Supergraph, operation: str, variables: Mapping[str, Any] | None = None
) -> str:
    """The printed plan of a valid operation."""
    return plan_text(planned(supergraph, operation, variables))


def text(expected: str) -> str:
    """Expected plan text, as indented in a test."""
    return dedent(expected).strip("\n")
