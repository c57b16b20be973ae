"""Merges the types of all subgraphs into one supergraph."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.federation.composition.conflicts import spelled
from gateway.federation.composition.enums import find_uses, merge_values
from gateway.federation.composition.fields import merge_fields
from gateway.federation.composition.inputs import merge_input_fields
from gateway.federation.composition.markers import merge_description, merge_markers
from gateway.federation.composition.merged import MergedType, Supergraph, TypeOwner
from gateway.federation.composition.sources import Sources
from gateway.federation.subgraph import BUILT_IN_SCALARS, Kind, Subgraph, SubgraphType

Declaring = Sequence[tuple[Subgraph, SubgraphType]]


def merge_subgraphs(sources: Sources) -> Supergraph:
    """The supergraph of the subgraphs; conflicts go to the findings."""
    names = sorted({name for subgraph in sources.subgraphs for name in subgraph.types})
    types = {}
    for name in names:
        if name not in BUILT_IN_SCALARS:
            merged = _merge_type(sources, name)
            if merged is not None:
                types[name] = merged
    # Enums come last: how they merge depends on who of the merged schema uses them.
    uses = find_uses(types)
    for name, merged in types.items():
        if merged.kind is Kind.ENUM:
            declaring = [(one.name, declared) for one, declared in sources.declaring(name)]
            merged.values = merge_values(
                sources,
                name,
                declaring,
                is_asked=name in uses.asked,
                is_answered=name in uses.answered or name not in uses.asked,
            )
    return Supergraph(sources.subgraphs, types)


def _merge_type(sources: Sources, name: str) -> MergedType | None:
    declaring = list(sources.declaring(name))
    kinds = {subgraph.name: _kind(declared) for subgraph, declared in declaring}
    if len(set(kinds.values())) > 1:
        sources.findings.conflict(
            "TYPE_KIND_MISMATCH",
            f'Kinds of type "{name}" differ: {spelled(kinds.items())}.',
            subgraphs=kinds,
            at=name,
        )
        return None
    kind = next(iter(kinds.values()))
    elements = [(subgraph.name, declared) for subgraph, declared in declaring]
    merged = MergedType(
        name=name,
        kind=kind,
        owners=_owners(declaring),
        description=merge_description(elements, at=name, findings=sources.findings),
        markers=merge_markers(
            elements, composed=sources.composed, at=name, findings=sources.findings
        ),
        implements=tuple(
            (subgraph.name, interface)
            for subgraph, declared in declaring
            for interface in declared.interfaces
        ),
        members=tuple(
            (subgraph.name, member)
            for subgraph, declared in declaring
            for member in declared.members
        ),
    )
    if kind in (Kind.OBJECT, Kind.INTERFACE):
        merged.fields = merge_fields(sources, name, declaring)
    elif kind is Kind.INPUT_OBJECT:
        declared_fields = [(subgraph, declared.input_fields) for subgraph, declared in elements]
        merged.input_fields = merge_input_fields(sources, declared_fields, at=name)
    return merged


def _kind(declared: SubgraphType) -> Kind:
    return Kind.INTERFACE if declared.is_interface_object else declared.kind


def _owners(declaring: Declaring) -> tuple[TypeOwner, ...]:
    owners = []
    for subgraph, declared in declaring:
        plain = TypeOwner(
            subgraph.name,
            extension=declared.is_extension and bool(declared.keys),
            is_interface_object=declared.is_interface_object,
        )
        keyed = [
            TypeOwner(
                subgraph.name,
                key.fields,
                plain.extension,
                key.resolvable,
                plain.is_interface_object,
            )
            for key in declared.keys
        ]
        owners.extend(keyed or [plain])
    return tuple(owners)
