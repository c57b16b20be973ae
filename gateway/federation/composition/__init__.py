"""Composes subgraph SDLs into one supergraph, or names every conflict between them.

composition = compose([SubgraphSdl("products", "http://products", sdl), ...])
composition.supergraph_sdl
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.federation.composition.accessibility import check_accessibility
from gateway.federation.composition.authorisation import (
    check_guards,
    check_requirements,
    guard_interfaces,
)
from gateway.federation.composition.conflicts import (
    CompositionFailed,
    Conflict,
    Findings,
    Hint,
)
from gateway.federation.composition.federation_1 import with_known_keys
from gateway.federation.composition.inspection import check_bases, inspect_subgraph
from gateway.federation.composition.interfaces import (
    check_interfaces,
    inherit_from_interface_objects,
)
from gateway.federation.composition.merge import merge_subgraphs
from gateway.federation.composition.overrides import find_overrides
from gateway.federation.composition.printing import print_supergraph
from gateway.federation.composition.retained import Retained, find_retained
from gateway.federation.composition.satisfiability import check_satisfiability
from gateway.federation.composition.schema_check import check_schema
from gateway.federation.composition.sharing import check_sharing
from gateway.federation.composition.sources import Sources
from gateway.federation.composition.type_refs import subtypes_of
from gateway.federation.links import ADVICE
from gateway.federation.sdl import SdlRefused, read_subgraph
from gateway.federation.subgraph import Kind, Subgraph, SubgraphType

__all__ = ["Composition", "CompositionFailed", "Conflict", "Hint", "SubgraphSdl", "compose"]


@dataclass(frozen=True, slots=True)
class SubgraphSdl:
    """A subgraph to compose; `url` is where it will be asked, and may be empty."""

    name: str
    url: str
    sdl: str


@dataclass(frozen=True, slots=True)
class Composition:
    """A supergraph in the join specification, and what is worth a look in it."""

    supergraph_sdl: str
    hints: tuple[Hint, ...]


def compose(subgraphs: Sequence[SubgraphSdl]) -> Composition:
    """The supergraph of the subgraphs; their order does not matter.

    Raises:
        CompositionFailed: with every conflict found. Conflicts within single subgraphs are
            reported before those between subgraphs are looked for, and those before fields that
            can not be reached.
    """
    findings = Findings()
    sources, retained = _read(subgraphs, findings)
    supergraph = merge_subgraphs(sources)
    inherit_from_interface_objects(supergraph)
    guard_interfaces(supergraph)
    check_sharing(supergraph, sources)
    check_interfaces(supergraph, findings)
    check_requirements(supergraph, findings)
    check_accessibility(supergraph, findings)
    findings.refuse_if_any()
    sdl = print_supergraph(supergraph, retained)
    check_schema(sdl, supergraph, findings)
    check_satisfiability(supergraph, sources)
    findings.refuse_if_any()
    return Composition(sdl, findings.hints)


def _read(given: Sequence[SubgraphSdl], findings: Findings) -> tuple[Sources, Retained]:
    _check_names(given, findings)
    read = []
    for one in sorted(given, key=lambda one: one.name):
        try:
            read.append(read_subgraph(one.sdl, name=one.name, url=one.url))
        except SdlRefused as refused:
            for fault in refused.faults:
                findings.conflict(
                    fault.code,
                    f'In subgraph "{one.name}": {fault.message}',
                    subgraphs=[one.name],
                    at=fault.coordinate or "",
                )
    findings.refuse_if_any()
    _hint_at_advice(read, findings)
    read = with_known_keys(read)
    if not any("Query" in subgraph.types for subgraph in read):
        findings.conflict(
            "NO_QUERIES",
            "No subgraph has a field of Query: a supergraph needs at least one.",
            subgraphs=(subgraph.name for subgraph in read),
            at="Query",
        )
        if not read:
            findings.refuse_if_any()
    uses = {subgraph.name: inspect_subgraph(subgraph, findings) for subgraph in read}
    check_guards(read, findings)
    check_bases(read, findings)
    overridden = find_overrides(read, findings)
    retained = find_retained(read, findings)
    findings.refuse_if_any()
    subgraphs = tuple(_with_query(subgraph) for subgraph in read)
    is_subtype = subtypes_of(subgraphs)
    sources = Sources(
        subgraphs, uses, overridden, retained.repeatable_by_name, is_subtype, findings
    )
    return sources, retained


def _check_names(given: Sequence[SubgraphSdl], findings: Findings) -> None:
    names = [one.name for one in given]
    for name in sorted(set(names)):
        if names.count(name) > 1 or not re.search(r"[A-Za-z0-9]", name):
            findings.conflict(
                "INVALID_SUBGRAPH_NAME",
                f'"{name}" is given {names.count(name)} times or holds no letter or digit;'
                " each subgraph needs a name of its own.",
                subgraphs=[name],
            )
    findings.refuse_if_any()


def _hint_at_advice(subgraphs: Sequence[Subgraph], findings: Findings) -> None:
    for name in ADVICE:
        importing = [
            subgraph.name
            for subgraph in subgraphs
            if any(f"@{name}" == given for link in subgraph.links for given, _ in link.imports)
        ]
        if importing:
            findings.hint(
                "DIRECTIVE_LEFT_OUT",
                f"@{name} is left out of the supergraph: it means nothing to this gateway.",
                subgraphs=importing,
                at=f"@{name}",
            )


def _with_query(subgraph: Subgraph) -> Subgraph:
    # Every subgraph has a Query by its nature: entities are asked for there.
    if "Query" in subgraph.types:
        return subgraph
    query = SubgraphType("Query", Kind.OBJECT)
    return replace(subgraph, types=dict(sorted({**subgraph.types, "Query": query}.items())))
