"""Turns an operation and a supergraph into a plan; pure, one pass a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from graphql import DocumentNode

from gateway.federation.faults import Fault, FaultCode, RequestRefused
from gateway.federation.graph import Graph
from gateway.federation.operation import Operation, conditional_variables, normalise
from gateway.federation.plan import Fetch, Plan
from gateway.federation.planner.assembling import Assembly, Places
from gateway.federation.planner.choices import ObjectPlan
from gateway.federation.planner.documents import DocumentPrinter
from gateway.federation.planner.projecting import Projector
from gateway.federation.planner.resolving import Resolver
from gateway.federation.planner.scheduling import delayed, in_waves, laid_out
from gateway.federation.selections import Field
from gateway.federation.supergraph import Supergraph

__all__ = ["conditional_variables", "plan_operation"]

_NAMED_MAX = 5
"""Fields of each kind that one refusal names."""


def plan_operation(
    supergraph: Supergraph,
    document: DocumentNode,
    operation_name: str | None,
    variables: Mapping[str, Any],
    labels: Collection[str] = (),
) -> Plan:
    """The plan of one operation.

    Args:
        document: valid for the supergraph's public schema.
        variables: only those of `conditional_variables` change the plan.
        labels: the override labels that hold; only the supergraph's own change the plan.

    Raises:
        RequestRefused: UNPLANNABLE when no chain of subgraphs resolves a selection;
            OPERATION_NOT_FOUND when the document has no such operation.
    """
    graph = graph_of(supergraph, supergraph.override_labels.intersection(labels))
    operation = normalise(
        document,
        operation_name,
        variables,
        matches=graph.matches,
        root_types=supergraph.root_types,
    )
    root_type = supergraph.root_types[operation.kind]
    places = Places(graph)
    projection = Projector(graph, places).projection(root_type, operation.selection, places.root)
    printer = DocumentPrinter(graph, operation.kind, operation.declarations)
    waves: list[list[Fetch]] = []
    for step in _steps(graph, operation, root_type):
        assembly = Assembly(graph, places)
        assembly.add_root(step)
        places.root.select_needed_typenames()
        for wave in in_waves(delayed(assembly.requests)):
            waves.append([printer.fetch(request) for request in wave])
    return Plan(operation.kind, laid_out(waves), projection, operation.introspection)


@lru_cache(maxsize=32)
def graph_of(supergraph: Supergraph, labels: frozenset[str] = frozenset()) -> Graph:
    """The supergraph's graph under these override labels, built once."""
    return Graph(supergraph, labels)


def _steps(graph: Graph, operation: Operation, root_type: str) -> list[ObjectPlan]:
    """What runs one after the other: all of a query at once, a mutation field by field."""
    resolver = Resolver(graph)
    fields = [
        field for field in operation.selection.fields(root_type) if not field.name.startswith("__")
    ]
    if operation.kind == "query":
        return [_resolved(graph, resolver, root_type, fields)]
    steps: list[ObjectPlan] = []
    for field in fields:
        step = _resolved(graph, resolver, root_type, [field])
        if steps and _may_share_request(steps[-1], step):
            steps[-1] = _joined(steps[-1], step)
        else:
            steps.append(step)
    return steps


def _may_share_request(earlier: ObjectPlan, later: ObjectPlan) -> bool:
    """Whether two mutation fields run in order within one request.

    The later one must not run before everything below the earlier one is fetched.
    """
    return len(earlier.cost) == 1 and {hop.subgraph for hop in earlier.hops} == {
        hop.subgraph for hop in later.hops
    }


def _joined(earlier: ObjectPlan, later: ObjectPlan) -> ObjectPlan:
    return ObjectPlan(
        type_name=earlier.type_name,
        fields=(),
        hops=earlier.hops + later.hops,
        cost=earlier.cost | later.cost,
        weight=earlier.weight + later.weight,
    )


def _resolved(graph: Graph, resolver: Resolver, root_type: str, fields: list[Field]) -> ObjectPlan:
    plan = resolver.root(root_type, fields)
    if plan.remainder:
        missing = [f"{root_type}.{_leaf_path(field)}" for field in plan.remainder]
        message = f"No chain of subgraphs resolves {_listed(missing)}"
        if beyond := [_with_owners(graph, *place) for place in resolver.out_of_reach]:
            message += f"; out of reach: {_listed(beyond)}"
        raise RequestRefused([Fault(f"{message}.", FaultCode.UNPLANNABLE)])
    return plan


def _with_owners(graph: Graph, type_name: str, field_name: str) -> str:
    owners = graph.owners(type_name, field_name)
    which = f"only {', '.join(owners)} {'answers' if len(owners) == 1 else 'answer'} it"
    return f"{type_name}.{field_name} ({which if owners else 'no subgraph answers it'})"


def _listed(names: list[str]) -> str:
    left = len(names) - _NAMED_MAX
    return ", ".join(names[:_NAMED_MAX]) + (f" and {left} more" if left > 0 else "")


def _leaf_path(field: Field) -> str:
    """A path to the first part of a field that is missing."""
    names = [field.name]
    selection = field.selection
    while selection is not None and selection.only_types:
        inner = selection.fields(min(selection.only_types))
        names.append(inner[0].name)
        selection = inner[0].selection
    return ".".join(names)
