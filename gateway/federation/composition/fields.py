"""Fields of objects and interfaces, merged from every subgraph that answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.federation.composition.conflicts import named, spelled
from gateway.federation.composition.externals import check_external
from gateway.federation.composition.inputs import merge_arguments
from gateway.federation.composition.markers import merge_description, merge_markers
from gateway.federation.composition.merged import FieldOwner, MergedField
from gateway.federation.composition.sources import Sources
from gateway.federation.composition.type_refs import output_type
from gateway.federation.subgraph import Field, InputValue, Subgraph, SubgraphType, TypeRef

Declaring = Sequence[tuple[Subgraph, SubgraphType]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A field as one subgraph takes part in it."""

    subgraph: Subgraph
    declared: SubgraphType
    field: Field
    is_taken: bool

    @property
    def answers(self) -> bool:
        return not self.field.external and not self.is_taken


def merge_fields(sources: Sources, name: str, declaring: Declaring) -> dict[str, MergedField]:
    """The type's fields by union, in order of first appearance by subgraph name."""
    names = dict.fromkeys(field for _, declared in declaring for field in declared.fields)
    merged = {}
    for field_name in names:
        field = _merge_field(sources, (name, field_name), declaring)
        if field is not None:
            merged[field_name] = field
    return merged


def _merge_field(
    sources: Sources, place: tuple[str, str], declaring: Declaring
) -> MergedField | None:
    at = ".".join(place)
    parts = [
        _Part(subgraph, declared, field, sources.is_taken(subgraph.name, place))
        for subgraph, declared in declaring
        if (field := declared.fields.get(place[1])) is not None
        and not _is_unused_external(sources, subgraph, place, field)
    ]
    answering = [part for part in parts if part.answers]
    if not answering:
        _no_owner(sources, parts, at)
        return None
    merged_type = _merge_types(sources, answering, at)
    elements = [(part.subgraph.name, part.field) for part in parts]
    arguments = merge_arguments(
        sources, [(part.subgraph.name, part.field.arguments) for part in answering], at=at
    )
    _check_externals(sources, parts, merged_type, tuple(arguments.values()), at)
    return MergedField(
        name=place[1],
        type=merged_type,
        arguments=arguments,
        description=merge_description(elements, at=at, findings=sources.findings),
        markers=merge_markers(
            elements, composed=sources.composed, at=at, findings=sources.findings
        ),
        owners=_owners(sources, parts, place, merged_type, among=len(declaring)),
    )


def _is_unused_external(
    sources: Sources, subgraph: Subgraph, place: tuple[str, str], field: Field
) -> bool:
    # Federation 1 asked for `@external` where nothing used it; there it means nothing.
    return (
        field.external
        and subgraph.is_federation_1
        and not sources.uses[subgraph.name].is_used(place)
    )


def _no_owner(sources: Sources, parts: Sequence[_Part], at: str) -> None:
    if parts:
        subgraphs = [part.subgraph.name for part in parts]
        sources.findings.conflict(
            "EXTERNAL_MISSING_ON_BASE",
            f'"{at}" is @external wherever it is declared, in subgraph {named(subgraphs)}:'
            " no subgraph answers it.",
            subgraphs=subgraphs,
            at=at,
        )


def _merge_types(sources: Sources, answering: Sequence[_Part], at: str) -> TypeRef:
    types = [part.field.type for part in answering]
    merged = output_type(types, sources.is_subtype)
    if merged is not None:
        return merged
    given = [(part.subgraph.name, part.field.type) for part in answering]
    sources.findings.conflict(
        "FIELD_TYPE_MISMATCH",
        f'Types of "{at}" do not agree: {spelled(given)}.',
        subgraphs=(subgraph for subgraph, _ in given),
        at=at,
    )
    return types[0]


def _check_externals(
    sources: Sources,
    parts: Sequence[_Part],
    merged: TypeRef,
    arguments: Sequence[InputValue],
    at: str,
) -> None:
    owners = [(part.subgraph.name, part.field) for part in parts if part.answers]
    for part in parts:
        if part.field.external:
            check_external(
                (part.subgraph.name, part.field),
                owners=owners,
                merged_type=merged,
                merged_arguments=arguments,
                at=at,
                findings=sources.findings,
            )


def _owners(
    sources: Sources,
    parts: Sequence[_Part],
    place: tuple[str, str],
    merged: TypeRef,
    *,
    among: int,
) -> tuple[FieldOwner, ...]:
    owners = []
    types_differ = any(part.field.type != merged for part in parts)
    for part in parts:
        subgraph, field = part.subgraph.name, part.field
        is_used = sources.uses[subgraph].is_used(place)
        if part.is_taken and not is_used:
            continue
        taken_over = sources.overridden.get((subgraph, *place))
        override = sources.override_of(part.field)
        # A label decides between two; where the other answers nothing, nothing is decided.
        is_shared = override is not None and (override.source, *place) in sources.overridden
        label = override.label if override and is_shared else None
        owners.append(
            FieldOwner(
                subgraph=subgraph,
                type=str(field.type) if types_differ else None,
                requires=field.requires,
                provides=field.provides,
                external=field.external,
                override=override.source if override else None,
                override_label=label or (taken_over.label if taken_over else None),
                used_overridden=part.is_taken and is_used,
            )
        )
    is_plain = all(owner == FieldOwner(owner.subgraph) for owner in owners)
    return () if is_plain and len(owners) == among else tuple(owners)
