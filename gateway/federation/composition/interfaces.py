"""Interfaces of the supergraph: what their implementations must have, and what they inherit."""

from __future__ import annotations

from dataclasses import replace

from gateway.federation.composition.conflicts import Findings, named
from gateway.federation.composition.merged import FieldOwner, MergedType, Supergraph
from gateway.federation.subgraph import Kind


def inherit_from_interface_objects(supergraph: Supergraph) -> None:
    """Gives implementations the fields that only an `@interfaceObject` answers."""
    for interface in supergraph.types.values():
        lenders = {owner.subgraph for owner in interface.owners if owner.is_interface_object}
        if not lenders:
            continue
        for implementation in _implementations(supergraph, interface.name):
            if implementation.kind is not Kind.OBJECT:
                continue
            for name, field in interface.fields.items():
                owners = field.owners or tuple(
                    FieldOwner(owner.subgraph) for owner in interface.owners
                )
                is_lent = any(owner.subgraph in lenders for owner in owners)
                if is_lent and name not in implementation.fields:
                    implementation.fields[name] = replace(field, owners=(FieldOwner(None),))


def check_interfaces(supergraph: Supergraph, findings: Findings) -> None:
    """Notes fields that an interface has somewhere and an implementation has nowhere."""
    for interface in supergraph.types.values():
        if interface.kind is not Kind.INTERFACE:
            continue
        _check_interface_objects(supergraph, interface, findings)
        _check_keyed_interface(supergraph, interface, findings)
        for implementation in _implementations(supergraph, interface.name):
            lacking = [name for name in interface.fields if name not in implementation.fields]
            for name in lacking:
                owners = interface.fields[name].owners or interface.owners
                having = {owner.subgraph for owner in owners if owner.subgraph}
                implementing = {
                    subgraph
                    for subgraph, implemented in implementation.implements
                    if implemented == interface.name
                }
                findings.conflict(
                    "INTERFACE_FIELD_NO_IMPLEM",
                    f'Interface field "{interface.name}.{name}" is declared in subgraph'
                    f' {named(having)}, but type "{implementation.name}", which implements'
                    f' "{interface.name}" in subgraph {named(implementing)}, has no field'
                    f' "{name}" anywhere.',
                    subgraphs=having | implementing,
                    at=f"{implementation.name}.{name}",
                )


def _implementations(supergraph: Supergraph, interface: str) -> list[MergedType]:
    return [one for one in supergraph.types.values() if interface in one.interfaces]


def _check_interface_objects(
    supergraph: Supergraph, interface: MergedType, findings: Findings
) -> None:
    lenders = {owner.subgraph for owner in interface.owners if owner.is_interface_object}
    if not lenders:
        return
    if all(owner.is_interface_object for owner in interface.owners):
        findings.conflict(
            "INTERFACE_OBJECT_USAGE_ERROR",
            f'"{interface.name}" is an @interfaceObject in subgraph {named(lenders)}'
            " but no subgraph declares the interface.",
            subgraphs=lenders,
            at=interface.name,
        )
    for implementation in _implementations(supergraph, interface.name):
        for subgraph in lenders & {owner.subgraph for owner in implementation.owners}:
            findings.conflict(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'Subgraph "{subgraph}" declares "{interface.name}" as an @interfaceObject and'
                f' its implementation "{implementation.name}" as well.',
                subgraphs=[subgraph],
                at=implementation.name,
            )


def _check_keyed_interface(
    supergraph: Supergraph, interface: MergedType, findings: Findings
) -> None:
    keyed = {
        owner.subgraph
        for owner in interface.owners
        if owner.key is not None and owner.resolvable and not owner.is_interface_object
    }
    for subgraph in sorted(keyed):
        for implementation in _implementations(supergraph, interface.name):
            if (subgraph, interface.name) not in implementation.implements:
                findings.conflict(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
                    f'Interface "{interface.name}" has a resolvable key in subgraph "{subgraph}",'
                    f' which does not declare its implementation "{implementation.name}".',
                    subgraphs=[subgraph, *(name for name, _ in implementation.implements)],
                    at=interface.name,
                )
