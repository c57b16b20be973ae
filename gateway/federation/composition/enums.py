"""Enums: by union when answered, by intersection when asked, alike when both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.federation.composition.conflicts import named
from gateway.federation.composition.markers import merge_description, merge_markers
from gateway.federation.composition.merged import MergedType, MergedValue
from gateway.federation.composition.sources import Sources
from gateway.federation.subgraph import SubgraphType, named_type


@dataclass(frozen=True, slots=True)
class TypeUses:
    """Names of types that clients give, and of types that they are answered with."""

    asked: frozenset[str]
    answered: frozenset[str]


def find_uses(types: Mapping[str, MergedType]) -> TypeUses:
    """Where the merged schema uses which type."""
    asked: set[str] = set()
    answered: set[str] = set()
    for merged in types.values():
        for field in merged.fields.values():
            answered.add(named_type(field.type))
            asked |= {named_type(argument.type) for argument in field.arguments.values()}
        asked |= {named_type(one.value.type) for one in merged.input_fields.values()}
    return TypeUses(frozenset(asked), frozenset(answered))


def merge_values(
    sources: Sources,
    name: str,
    declaring: Sequence[tuple[str, SubgraphType]],
    *,
    is_asked: bool,
    is_answered: bool,
) -> dict[str, MergedValue]:
    """The enum's values in the supergraph, in order of first appearance."""
    merged = {}
    for value in dict.fromkeys(value for _, declared in declaring for value in declared.values):
        given = [
            (subgraph, declared.values[value])
            for subgraph, declared in declaring
            if value in declared.values
        ]
        at = f"{name}.{value}"
        having = tuple(subgraph for subgraph, _ in given)
        markers = merge_markers(given, composed=sources.composed, at=at, findings=sources.findings)
        if len(having) < len(declaring) and is_asked:
            if is_answered and not markers.inaccessible:
                _mismatch(sources, at, having, [subgraph for subgraph, _ in declaring])
            elif not is_answered:
                _left_out(sources, at, having)
                continue
        merged[value] = MergedValue(
            name=value,
            subgraphs=having,
            description=merge_description(given, at=at, findings=sources.findings),
            markers=markers,
        )
    if not merged:
        _nothing_left(sources, name, [subgraph for subgraph, _ in declaring])
    return merged


def _nothing_left(sources: Sources, name: str, subgraphs: Sequence[str]) -> None:
    sources.findings.conflict(
        "EMPTY_MERGED_ENUM_TYPE",
        f'Enum "{name}" is only given by clients, and no value of it is known to all of its'
        f" subgraphs ({named(subgraphs)}).",
        subgraphs=subgraphs,
        at=name,
    )


def _mismatch(sources: Sources, at: str, having: Sequence[str], subgraphs: Sequence[str]) -> None:
    lacking = [subgraph for subgraph in subgraphs if subgraph not in having]
    sources.findings.conflict(
        "ENUM_VALUE_MISMATCH",
        f'Enum value "{at}" is known to subgraph {named(having)} but not to {named(lacking)},'
        " while clients both give the enum and are answered with it.",
        subgraphs=subgraphs,
        at=at,
    )


def _left_out(sources: Sources, at: str, having: Sequence[str]) -> None:
    sources.findings.hint(
        "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
        f'"{at}" is left out of the supergraph: only subgraph {named(having)} takes it.',
        subgraphs=having,
        at=at,
    )
