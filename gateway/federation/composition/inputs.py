"""Arguments and input objects: what every subgraph that takes them understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.federation.composition.conflicts import named, spelled
from gateway.federation.composition.defaults import meaning_of
from gateway.federation.composition.markers import merge_description, merge_markers
from gateway.federation.composition.merged import FieldOwner, MergedInputField
from gateway.federation.composition.sources import Sources
from gateway.federation.composition.type_refs import input_type
from gateway.federation.subgraph import InputValue

Given = Sequence[tuple[str, InputValue]]
"""Pairs of subgraph name and what it declares."""


def merge_arguments(
    sources: Sources, declared: Sequence[tuple[str, Mapping[str, InputValue]]], *, at: str
) -> dict[str, InputValue]:
    """Arguments that every subgraph takes; one that is required must be taken everywhere."""
    merged = {}
    for name in _names(declared):
        given = [(subgraph, values[name]) for subgraph, values in declared if name in values]
        place = f"{at}({name}:)"
        if len(given) < len(declared):
            _partial(
                sources,
                given,
                [subgraph for subgraph, _ in declared],
                code="REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
                at=place,
            )
        else:
            merged[name] = _merge_value(sources, given, prefix="FIELD_ARGUMENT", at=place)
    return merged


def merge_input_fields(
    sources: Sources, declared: Sequence[tuple[str, Mapping[str, InputValue]]], *, at: str
) -> dict[str, MergedInputField]:
    """Fields that every subgraph takes; one that is required must be taken everywhere."""
    merged = {}
    for name in _names(declared):
        given = [(subgraph, values[name]) for subgraph, values in declared if name in values]
        place = f"{at}.{name}"
        if len(given) < len(declared):
            _partial(
                sources,
                given,
                [subgraph for subgraph, _ in declared],
                code="REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
                at=place,
            )
            continue
        value = _merge_value(sources, given, prefix="INPUT_FIELD", at=place)
        owners = tuple(FieldOwner(subgraph, type=str(one.type)) for subgraph, one in given)
        types_differ = any(one.type != value.type for _, one in given)
        merged[name] = MergedInputField(value, owners if types_differ else ())
    if not merged:
        sources.findings.conflict(
            "EMPTY_MERGED_INPUT_TYPE",
            f'Input "{at}" has no field that all of its subgraphs'
            f" ({named(subgraph for subgraph, _ in declared)}) know.",
            subgraphs=(subgraph for subgraph, _ in declared),
            at=at,
        )
    return merged


def _names(declared: Sequence[tuple[str, Mapping[str, InputValue]]]) -> list[str]:
    return list(dict.fromkeys(name for _, values in declared for name in values))


def _partial(
    sources: Sources, given: Given, subgraphs: Sequence[str], *, code: str, at: str
) -> None:
    having = [subgraph for subgraph, _ in given]
    lacking = [subgraph for subgraph in subgraphs if subgraph not in having]
    requiring = [subgraph for subgraph, value in given if value.is_required]
    if requiring:
        sources.findings.conflict(
            code,
            f'"{at}" is required in subgraph {named(requiring)}'
            f" but is missing in subgraph {named(lacking)}.",
            subgraphs=subgraphs,
            at=at,
            hint="Add it where it is missing, or give it a default, or let it be null.",
        )
    else:
        sources.findings.hint(
            "INCONSISTENT_ARGUMENT_PRESENCE"
            if code.startswith("REQUIRED_ARGUMENT")
            else "INCONSISTENT_INPUT_OBJECT_FIELD",
            f'"{at}" is left out of the supergraph: subgraph {named(lacking)} lacks it.',
            subgraphs=subgraphs,
            at=at,
        )


def _merge_value(sources: Sources, given: Given, *, prefix: str, at: str) -> InputValue:
    first = given[0][1]
    subgraphs = [subgraph for subgraph, _ in given]
    chosen = input_type([value.type for _, value in given])
    if chosen is None:
        code = "FIELD_TYPE_MISMATCH" if prefix == "INPUT_FIELD" else f"{prefix}_TYPE_MISMATCH"
        sources.findings.conflict(
            code,
            f'Types of "{at}" do not agree:'
            f" {spelled((subgraph, value.type) for subgraph, value in given)}.",
            subgraphs=subgraphs,
            at=at,
        )
    defaults = {meaning_of(value.default) for _, value in given}
    if len(defaults - {None}) > 1:
        spellings = ((subgraph, value.default or "no default") for subgraph, value in given)
        sources.findings.conflict(
            f"{prefix}_DEFAULT_MISMATCH",
            f'Defaults of "{at}" differ: {spelled(spellings)}.',
            subgraphs=subgraphs,
            at=at,
        )
    return InputValue(
        name=first.name,
        type=chosen or first.type,
        # A default that not every subgraph knows would not hold everywhere.
        default=None if None in defaults else first.default,
        description=merge_description(given, at=at, findings=sources.findings),
        markers=merge_markers(given, composed=sources.composed, at=at, findings=sources.findings),
    )
