"""Who may see what: interfaces ask what their objects ask, and requirements do not leak."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.markers import all_of
from gateway.federation.composition.merged import MergedType, Supergraph
from gateway.federation.field_sets import FieldSelection, FieldSet, parse_field_set
from gateway.federation.subgraph import (
    NO_MARKERS,
    Kind,
    Markers,
    ScopeSets,
    Subgraph,
    named_type,
)


def is_guarded(markers: Markers) -> bool:
    """Whether the element is not for everybody."""
    return markers.authenticated or markers.scopes is not None or markers.policies is not None


def check_guards(subgraphs: Iterable[Subgraph], findings: Findings) -> None:
    """Notes guards on interfaces: an interface asks what its objects ask, and nothing else."""
    for subgraph in subgraphs:
        for declared in subgraph.types.values():
            if declared.kind is not Kind.INTERFACE and not declared.is_interface_object:
                continue
            elements = [(declared.name, declared.markers)]
            elements += [
                (f"{declared.name}.{field.name}", field.markers)
                for field in declared.fields.values()
                # Fields that an interface object adds are its own to guard.
                if not declared.is_interface_object
            ]
            for at, markers in elements:
                if is_guarded(markers):
                    findings.conflict(
                        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
                        f'"{at}" in subgraph "{subgraph.name}" can not carry @authenticated,'
                        " @requiresScopes or @policy: guard the objects that implement it.",
                        subgraphs=[subgraph.name],
                        at=at,
                    )


def guard_interfaces(supergraph: Supergraph) -> None:
    """Gives every interface, and its fields, all the guards of the objects behind it.

    What an interface object guards is guarded in the objects first.
    """
    behind = {
        name: [
            one
            for one in supergraph.types.values()
            if one.kind is Kind.OBJECT and name in one.interfaces
        ]
        for name, interface in supergraph.types.items()
        if interface.kind is Kind.INTERFACE
    }
    for name, objects in behind.items():
        _guard_objects(supergraph.types[name], objects)
    for interface_name, objects in behind.items():
        interface = supergraph.types[interface_name]
        interface.markers = _guarded(interface.markers, [one.markers for one in objects])
        for name, field in interface.fields.items():
            markers = [one.fields[name].markers for one in objects if name in one.fields]
            interface.fields[name] = replace(field, markers=_guarded(field.markers, markers))


def _guard_objects(interface: MergedType, objects: Iterable[MergedType]) -> None:
    # An interface itself can not be guarded, so whatever guards its fields is of such an object.
    for merged in objects:
        for name, field in interface.fields.items():
            own = merged.fields.get(name)
            if own is not None and is_guarded(field.markers):
                markers = _guarded(own.markers, [field.markers])
                merged.fields[name] = replace(own, markers=markers)


def _guarded(markers: Markers, others: Iterable[Markers]) -> Markers:
    given = [markers, *others]
    return replace(
        markers,
        authenticated=any(one.authenticated for one in given),
        scopes=all_of(one.scopes for one in given),
        policies=all_of(one.policies for one in given),
    )


def check_requirements(supergraph: Supergraph, findings: Findings) -> None:
    """Notes fields that are open to more clients than the fields they are computed from."""
    for merged in supergraph.types.values():
        for field in merged.fields.values():
            own = _guarded(field.markers, [merged.markers])
            for owner in field.owners:
                if owner.requires is None:
                    continue
                selections = parse_field_set(owner.requires)
                needed = _guarded(NO_MARKERS, _guards(supergraph, merged, selections))
                if not _implies(own, needed):
                    at = f"{merged.name}.{field.name}"
                    findings.conflict(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
                        f'"{at}" in subgraph "{owner.subgraph}" requires "{owner.requires}",'
                        " which asks for more than the field itself does.",
                        subgraphs=[owner.subgraph or ""],
                        at=at,
                        hint="Give the field the guards of what it requires.",
                    )


def _guards(supergraph: Supergraph, merged: MergedType, selections: FieldSet) -> Iterable[Markers]:
    for selection in selections:
        if not isinstance(selection, FieldSelection):
            narrowed = supergraph.types.get(selection.on)
            if narrowed is not None:
                yield narrowed.markers
                yield from _guards(supergraph, narrowed, selection.selections)
            continue
        field = merged.fields.get(selection.name)
        if field is None:
            continue
        yield field.markers
        below = supergraph.types.get(named_type(field.type))
        if below is not None:
            yield below.markers
            yield from _guards(supergraph, below, selection.selections)


def _implies(own: Markers, needed: Markers) -> bool:
    return (
        (own.authenticated or not needed.authenticated)
        and _sets_imply(own.scopes, needed.scopes)
        and _sets_imply(own.policies, needed.policies)
    )


def _sets_imply(own: ScopeSets | None, needed: ScopeSets | None) -> bool:
    if needed is None:
        return True
    if own is None:
        return False
    return all(any(set(one) <= set(held) for one in needed) for held in own)
