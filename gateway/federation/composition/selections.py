"""Checks that keys, `@requires` and `@provides` select fields that their subgraph has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.given_arguments import argument_faults
from gateway.federation.composition.sources import Place
from gateway.federation.field_sets import (
    FieldSelection,
    FieldSet,
    FieldSetRefused,
    FragmentSelection,
    parse_field_set,
)
from gateway.federation.subgraph import Field, Kind, Subgraph, named_type

_COMPOSITE = (Kind.OBJECT, Kind.INTERFACE, Kind.UNION)


@dataclass(frozen=True, slots=True)
class Directive:
    """The directive whose field set is checked.

    Attributes:
        name: KEY, REQUIRES or PROVIDES.
        at: coordinate of what carries it.
    """

    name: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Selected:
    """A field that a field set selects, on a type that declares it."""

    place: Place
    field: Field
    is_leaf: bool


class SelectionCheck:
    """Checks field sets of one subgraph."""

    def __init__(self, subgraph: Subgraph, findings: Findings) -> None:
        self._subgraph = subgraph
        self._findings = findings

    def fields(self, directive: Directive, *, on: str) -> tuple[Selected, ...]:
        """Every field the field set selects, depth first; faults go to the findings.

        Args:
            on: type that the selections are made on.
        """
        try:
            selections = parse_field_set(directive.text)
        except FieldSetRefused as refused:
            self._fault(directive, "INVALID_FIELDS", str(refused))
            return ()
        return tuple(self._walk(directive, selections, on))

    def _walk(self, directive: Directive, selections: FieldSet, on: str) -> Iterator[Selected]:
        for selection in selections:
            match selection:
                case FragmentSelection():
                    if self._subgraph.possible_types(selection.on):
                        yield from self._walk(directive, selection.selections, selection.on)
                    else:
                        fault = f'There is no object or interface "{selection.on}".'
                        self._fault(directive, "INVALID_FIELDS", fault)
                case FieldSelection(name="__typename"):
                    continue
                case FieldSelection():
                    yield from self._field(directive, selection, on)

    def _field(
        self, directive: Directive, selection: FieldSelection, on: str
    ) -> Iterator[Selected]:
        declared = self._subgraph.types.get(on)
        found = declared.fields.get(selection.name) if declared else None
        if found is None:
            self._fault(directive, "INVALID_FIELDS", f'There is no field "{on}.{selection.name}".')
            return
        below = self._subgraph.types.get(named_type(found.type))
        is_composite = below is not None and below.kind in _COMPOSITE
        if is_composite and not selection.selections:
            fault = f'"{on}.{selection.name}" needs a selection of its fields.'
            self._fault(directive, "INVALID_FIELDS", fault)
        elif selection.selections and not is_composite:
            fault = f'"{on}.{selection.name}" has no fields to select.'
            self._fault(directive, "INVALID_FIELDS", fault)
        self._check_form(directive, selection, on=on, found=found)
        yield Selected((on, found.name), found, is_leaf=not is_composite)
        if is_composite and below is not None:
            yield from self._walk(directive, selection.selections, below.name)

    def _check_form(
        self, directive: Directive, selection: FieldSelection, *, on: str, found: Field
    ) -> None:
        place = f"{on}.{selection.name}"
        if selection.has_directives:
            self._fault(directive, "DIRECTIVE_IN_FIELDS_ARG", f'"{place}" carries a directive.')
        if directive.name == "REQUIRES":
            faults = argument_faults(self._subgraph, selection.arguments, found.arguments, at=place)
            for fault in faults:
                self._fault(directive, "INVALID_FIELDS", fault)
            return
        if found.arguments:
            self._fault(directive, "FIELDS_HAS_ARGS", f'"{place}" takes arguments.')
        if directive.name == "KEY":
            below = self._subgraph.types.get(named_type(found.type))
            is_abstract = below is not None and below.kind in (Kind.INTERFACE, Kind.UNION)
            if is_abstract:
                fault = f'"{place}" is of type "{found.type}"; a key holds no interface or union.'
                self._fault(directive, "FIELDS_SELECT_INVALID_TYPE", fault)

    def _fault(self, directive: Directive, code: str, fault: str) -> None:
        carrier = directive.name.lower()
        self._findings.conflict(
            f"{directive.name}_{code}",
            f'On "{directive.at}", in subgraph "{self._subgraph.name}",'
            f' for @{carrier}(fields: "{directive.text}"): {fault}',
            subgraphs=[self._subgraph.name],
            at=directive.at,
        )
