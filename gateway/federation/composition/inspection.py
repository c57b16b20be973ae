"""Checks one subgraph by itself, and finds which of its fields its own directives need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.selections import Directive, Selected, SelectionCheck
from gateway.federation.composition.sources import FieldUses, Place
from gateway.federation.subgraph import Field, Kind, Subgraph, SubgraphType, named_type


def inspect_subgraph(subgraph: Subgraph, findings: Findings) -> FieldUses:
    """Fields that keys, requirements, provisions and interfaces of the subgraph use."""
    return _Inspection(subgraph, findings).run()


def check_bases(subgraphs: Sequence[Subgraph], findings: Findings) -> None:
    """Notes types that subgraphs extend and none defines."""
    defined = {
        declared.name
        for subgraph in subgraphs
        for declared in subgraph.types.values()
        if declared.is_root or not declared.is_extension
    }
    for subgraph in subgraphs:
        for name in sorted(subgraph.types.keys() - defined):
            findings.conflict(
                "EXTENSION_WITH_NO_BASE",
                f'Type "{name}" is extended in subgraph "{subgraph.name}", but no subgraph'
                " defines it.",
                subgraphs=[subgraph.name],
                at=name,
            )


class _Inspection:
    def __init__(self, subgraph: Subgraph, findings: Findings) -> None:
        self._subgraph = subgraph
        self._findings = findings
        self._check = SelectionCheck(subgraph, findings)
        self._in_keys: set[Place] = set()
        self._in_requires: set[Place] = set()
        self._in_provides: set[Place] = set()

    def run(self) -> FieldUses:
        for declared in self._subgraph.types.values():
            self._inspect_type(declared)
            for field in declared.fields.values():
                self._inspect_field(declared, field)
        uses = FieldUses(
            in_keys=frozenset(self._in_keys),
            in_requires=frozenset(self._in_requires),
            in_provides=frozenset(self._in_provides),
            in_interfaces=frozenset(self._interface_places()),
        )
        self._check_externals(uses)
        return uses

    def _interface_places(self) -> Iterable[Place]:
        for declared in self._subgraph.types.values():
            for interface in declared.interfaces:
                for name in self._subgraph.types[interface].fields:
                    yield declared.name, name

    def _inspect_type(self, declared: SubgraphType) -> None:
        for key in declared.keys:
            directive = Directive("KEY", declared.name, key.fields)
            selected = self._check.fields(directive, on=declared.name)
            self._in_keys |= self._with_implementations(selected)
        if declared.is_interface_object and declared.kind is not Kind.OBJECT:
            self._conflict(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'"{declared.name}" carries @interfaceObject but is no object type',
                at=declared.name,
            )
        elif declared.is_interface_object and not declared.keys:
            self._conflict(
                "INTERFACE_OBJECT_USAGE_ERROR",
                f'"{declared.name}" carries @interfaceObject but has no @key',
                at=declared.name,
            )
        if declared.kind is Kind.INTERFACE and declared.keys:
            self._check_interface_keys(declared)

    def _check_interface_keys(self, interface: SubgraphType) -> None:
        for name in self._subgraph.possible_types(interface.name):
            own_keys = self._subgraph.types[name].keys
            spelled = {key.fields for key in own_keys if key.resolvable}
            for key in interface.keys:
                if key.resolvable and key.fields not in spelled:
                    self._conflict(
                        "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                        f'"{name}" implements "{interface.name}" without its'
                        f' resolvable @key(fields: "{key.fields}")',
                        at=name,
                    )

    def _inspect_field(self, declared: SubgraphType, field: Field) -> None:
        at = f"{declared.name}.{field.name}"
        if declared.kind is Kind.INTERFACE:
            self._check_interface_field(field, at)
            return
        if field.requires is not None:
            directive = Directive("REQUIRES", at, field.requires)
            selected = self._check.fields(directive, on=declared.name)
            self._in_requires |= self._with_implementations(selected)
            self._need_external(directive, selected)
            self._hint_at_return(declared, at)
        if field.provides is not None:
            self._inspect_provides(field, Directive("PROVIDES", at, field.provides))

    def _check_interface_field(self, field: Field, at: str) -> None:
        if field.external and not self._subgraph.is_federation_1:
            self._conflict(
                "EXTERNAL_ON_INTERFACE", f'Interface field "{at}" can not be @external', at=at
            )
        if field.requires is not None:
            self._conflict(
                "REQUIRES_UNSUPPORTED_ON_INTERFACE",
                f'Interface field "{at}" can not have @requires',
                at=at,
            )
        if field.provides is not None:
            self._conflict(
                "PROVIDES_UNSUPPORTED_ON_INTERFACE",
                f'Interface field "{at}" can not have @provides',
                at=at,
            )
        if field.override is not None:
            self._conflict(
                "OVERRIDE_ON_INTERFACE", f'Interface field "{at}" can not have @override', at=at
            )
        if field.shareable and not self._subgraph.is_federation_1:
            self._conflict(
                "INVALID_SHAREABLE_USAGE",
                f'Interface field "{at}" can not be @shareable; only object fields can',
                at=at,
            )

    def _hint_at_return(self, declared: SubgraphType, at: str) -> None:
        if declared.keys and not any(key.resolvable for key in declared.keys):
            self._findings.hint(
                "REQUIRES_WITHOUT_RESOLVABLE_KEY",
                f'"{at}" has @requires, but "{declared.name}" has no resolvable @key in subgraph'
                f' "{self._subgraph.name}" by which it could be asked with what it requires.',
                subgraphs=[self._subgraph.name],
                at=at,
            )

    def _inspect_provides(self, field: Field, directive: Directive) -> None:
        below = self._subgraph.types.get(named_type(field.type))
        if below is None or below.kind not in (Kind.OBJECT, Kind.INTERFACE, Kind.UNION):
            self._conflict(
                "PROVIDES_ON_NON_OBJECT_FIELD",
                f'"{directive.at}" has @provides but is of type "{field.type}"',
                at=directive.at,
            )
            return
        selected = self._check.fields(directive, on=below.name)
        self._in_provides |= self._with_implementations(selected)
        self._need_external(directive, selected)

    def _need_external(self, directive: Directive, selected: tuple[Selected, ...]) -> None:
        """A field set that only names what the subgraph answers anyway asks for nothing."""
        if self._subgraph.is_federation_1:
            return
        within_external = False
        for one in selected:
            places = self._with_implementations((one,))
            within_external |= any(self._is_external(place) for place in places)
            if one.is_leaf and not within_external:
                type_name, name = one.place
                self._conflict(
                    f"{directive.name}_FIELDS_MISSING_EXTERNAL",
                    f'On "{directive.at}", for @{directive.name.lower()}'
                    f'(fields: "{directive.text}"): "{type_name}.{name}" is not @external',
                    at=directive.at,
                )

    def _is_external(self, place: Place) -> bool:
        type_name, name = place
        declared = self._subgraph.types[type_name]
        field = declared.fields.get(name)
        # A key field of an extension was external in the old spelling, and may be required.
        return field is not None and (field.external or declared.is_extension)

    def _with_implementations(self, selected: Iterable[Selected]) -> set[Place]:
        places = set()
        for one in selected:
            type_name, name = one.place
            places.add(one.place)
            places |= {(object_, name) for object_ in self._subgraph.possible_types(type_name)}
        return places

    def _check_externals(self, uses: FieldUses) -> None:
        if self._subgraph.is_federation_1:
            return
        for declared in self._subgraph.types.values():
            for field in declared.fields.values():
                at = f"{declared.name}.{field.name}"
                if not field.external or declared.kind is Kind.INTERFACE:
                    continue
                if not uses.is_used((declared.name, field.name)):
                    self._conflict(
                        "EXTERNAL_UNUSED",
                        f'"{at}" is @external but no @key, @requires, @provides or interface'
                        " uses it",
                        at=at,
                        hint="Remove the field, or the @external.",
                    )
                clashing = [
                    name
                    for name, given in (
                        ("requires", field.requires),
                        ("provides", field.provides),
                        ("override", field.override),
                    )
                    if given is not None
                ]
                for name in clashing:
                    code = (
                        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE"
                        if name == "override"
                        else "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE"
                    )
                    self._conflict(code, f'"{at}" can not be both @external and @{name}', at=at)

    def _conflict(self, code: str, fault: str, *, at: str, hint: str = "") -> None:
        self._findings.conflict(
            code,
            f'{fault}, in subgraph "{self._subgraph.name}".',
            subgraphs=[self._subgraph.name],
            at=at,
            hint=hint,
        )
