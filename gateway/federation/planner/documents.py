"""Prints the documents of requests, as short as the schema of the subgraph allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.federation.graph import Graph
from gateway.federation.plan import (
    EntityInput,
    Fetch,
    RepresentationField,
    RepresentationShape,
)
from gateway.federation.planner.drafts import (
    FieldDraft,
    InputDraft,
    Place,
    RepresentationDraft,
    RequestDraft,
    SelectionDraft,
    ShapeDraft,
)

_Lines = dict[str, dict[str, str]]
"""Printed fields by runtime type and key."""


class DocumentPrinter:
    """Turns request drafts into fetches.

    Args:
        kind: `query` or `mutation`, for requests of root fields.
        declarations: printed declarations of client variables, by name.
    """

    def __init__(self, graph: Graph, kind: str, declarations: Mapping[str, str]) -> None:
        self._graph = graph
        self._kind = kind
        self._declarations = declarations

    def fetch(self, request: RequestDraft) -> Fetch:
        """The finished request."""
        body = _RequestBody(self._graph, request.subgraph)
        if request.root is not None:
            selection = body.selection(request.root)
            if request.place is None:
                return self._finished(request, self._kind, selection, [], body)
            fetch = self._finished(request, "query", selection, [], body)
            return replace(fetch, path=request.place.path())
        inputs: list[EntityInput] = []
        fields: list[str] = []
        declared: list[str] = []
        for number, (place, shapes, selection) in enumerate(_joined(request.inputs, body)):
            alias, variable = f"_e{number}", self._free_name(f"_r{number}")
            inputs.append(EntityInput(alias, variable, place.path(), _finished_shapes(shapes)))
            fields.append(f"{alias}:_entities(representations:${variable}){selection}")
            declared.append(f"${variable}:[_Any!]!")
        return self._finished(
            request, "query", f"{{{' '.join(fields)}}}", declared, body, tuple(inputs)
        )

    def _free_name(self, name: str) -> str:
        while name in self._declarations:
            name = f"_{name}"
        return name

    def _finished(
        self,
        request: RequestDraft,
        kind: str,
        selection: str,
        declared: list[str],
        body: _RequestBody,
        inputs: tuple[EntityInput, ...] = (),
    ) -> Fetch:
        used = [name for name in self._declarations if name in body.variables]
        declared = [*declared, *(self._declarations[name] for name in used)]
        header = kind + (f"({','.join(declared)})" if declared else "")
        return Fetch(
            subgraph=request.subgraph,
            kind=kind,
            document=selection if header == "query" else f"{header}{selection}",
            variables=tuple(used),
            inputs=inputs,
            response_names=tuple(sorted(body.renamed.items())),
        )


class _RequestBody:
    """Prints selections of one request; collects the variables and renamed keys in them."""

    def __init__(self, graph: Graph, subgraph: str) -> None:
        self._graph = graph
        self._subgraph = subgraph
        self.variables: set[str] = set()
        self.renamed: dict[str, str] = {}
        self._printed: dict[SelectionDraft, str] = {}

    def entities(self, arriving: InputDraft) -> str:
        """The selection below `_entities`, one fragment per type sent."""
        fragments: dict[str, list[str]] = {}
        for type_name, fields in arriving.selection.by_type.items():
            sent = arriving.shapes[type_name].sent_type or type_name
            printed = fragments.setdefault(sent, [])
            printed += [text for text in map(self._field, fields.values()) if text not in printed]
        for interface, selection in arriving.concrete.items():
            fragments.setdefault(interface, []).append(self.selection(selection)[1:-1])
        parts = (
            f"...on {type_name}{{{' '.join(fields) or '__typename'}}}"
            for type_name, fields in fragments.items()
        )
        return f"{{{' '.join(parts)}}}"

    def selection(self, draft: SelectionDraft) -> str:
        """A selection below a field, in braces."""
        known = self._printed.get(draft)
        if known is None:
            known = self._printed[draft] = self._selection(draft)
        return known

    def _selection(self, draft: SelectionDraft) -> str:
        lines: _Lines = {
            type_name: {key: self._field(field) for key, field in fields.items()}
            for type_name, fields in draft.by_type.items()
        }
        parts = ["__typename"] if draft.with_typename else []
        if self._graph.possible(draft.returns, self._subgraph) == (draft.returns,):
            parts += lines.get(draft.returns, {}).values()
        else:
            parts += self._abstract(draft, lines)
        return f"{{{' '.join(parts) or '__typename'}}}"

    def _field(self, field: FieldDraft) -> str:
        self.variables |= field.variables
        if field.asked != field.key:
            self.renamed[field.key] = field.asked
        printed = field.name if field.key == field.name else f"{field.key}:{field.name}"
        printed += field.arguments
        return printed + self.selection(field.selection) if field.selection else printed

    def _abstract(self, draft: SelectionDraft, lines: _Lines) -> list[str]:
        possible = self._graph.possible(draft.returns, self._subgraph)
        parts: list[str] = []
        if self._graph.kind(draft.returns) == "interface":
            parts += self._hoisted(draft.returns, possible, draft, lines)
        for interface, members in self._graph.interfaces_in(self._subgraph):
            group = [name for name in possible if name in members]
            if interface != draft.returns and len(group) > 1:
                common = self._hoisted(interface, group, draft, lines)
                if common:
                    parts.append(f"...on {interface}{{{' '.join(common)}}}")
        for type_name, fields in lines.items():
            if fields:
                parts.append(f"...on {type_name}{{{' '.join(fields.values())}}}")
        return parts

    def _hoisted(
        self, interface: str, group: Iterable[str], draft: SelectionDraft, lines: _Lines
    ) -> list[str]:
        """Takes out of `lines` what all types of a group have, as fields of the interface."""
        names = list(group)
        if not names or any(name not in lines for name in names):
            return []
        hoisted: list[str] = []
        for key, text in list(lines[names[0]].items()):
            alike = all(lines[name].get(key) == text for name in names)
            field = draft.by_type[names[0]][key]
            if alike and self._is_same_field(interface, names, field):
                hoisted.append(text)
                for name in names:
                    del lines[name][key]
        return hoisted

    def _is_same_field(self, interface: str, names: list[str], field: FieldDraft) -> bool:
        if not self._graph.has_interface_field(interface, self._subgraph, field.name):
            return False
        returns = self._graph.named_type(interface, self._subgraph, field.name)
        return field.selection is None or all(
            self._graph.named_type(name, self._subgraph, field.name) == returns for name in names
        )


_Printed = tuple[Place, dict[str, ShapeDraft], str]
"""Where entities lie, how they are sent, and what is selected of them."""


def _joined(inputs: list[InputDraft], body: _RequestBody) -> list[_Printed]:
    """Printed inputs; those of one place that select the same become one."""
    found: list[_Printed] = []
    for draft in inputs:
        selection = body.entities(draft)
        names = frozenset().union(*(shape.typenames for shape in draft.shapes.values()))
        for place, shapes, known in found:
            taken = frozenset().union(*(shape.typenames for shape in shapes.values()))
            if place is draft.place and known == selection and taken.isdisjoint(names):
                shapes.update(draft.shapes)
                break
        else:
            found.append((draft.place, dict(draft.shapes), selection))
    return found


def _finished_shapes(drafts: dict[str, ShapeDraft]) -> tuple[RepresentationShape, ...]:
    """The finished shapes, those that are alike joined."""
    alike: dict[RepresentationShape, frozenset[str]] = {}
    for type_name, draft in drafts.items():
        shape = RepresentationShape(
            typenames=frozenset(),
            send_typename=draft.sent_type or None,
            fields=tuple(_finished_fields({type_name: draft.fields})),
            required_keys=draft.key_names,
        )
        alike[shape] = alike.get(shape, frozenset()) | draft.typenames
    return tuple(replace(shape, typenames=names) for shape, names in alike.items())


def _finished_fields(
    by_type: dict[str, dict[str, RepresentationDraft]],
) -> list[RepresentationField]:
    found: dict[RepresentationField, set[str]] = {}
    for type_name, fields in by_type.items():
        for draft in fields.values():
            finished = RepresentationField(
                draft.name, draft.source, tuple(_finished_fields(draft.by_type))
            )
            found.setdefault(finished, set()).add(type_name)
    return [
        finished
        if len(names) == len(by_type)
        else RepresentationField(finished.name, finished.source, finished.fields, frozenset(names))
        for finished, names in found.items()
    ]
