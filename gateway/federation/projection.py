"""Shapes the merged data into the answer: order, types, null propagation and enum values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLSchema

from gateway.federation.faults import Fault, FaultCode, PathKey
from gateway.federation.plan import ProjectedField, Projection, TypeShape

Json = dict[str, Any]

# A place as nested pairs, innermost key first; only turned into a path when a fault needs one.
_Place = tuple[Any, PathKey] | None

_BUILT_IN_SCALARS: Final[dict[str, frozenset[type]]] = {
    "Int": frozenset({int}),
    "Float": frozenset({int, float}),
    "String": frozenset({str}),
    "Boolean": frozenset({bool}),
    "ID": frozenset({str, int}),
}


@dataclass(slots=True)
class _Run:
    """One projection of one answer.

    Attributes:
        known: faults of the gathering.
        found: faults of the projection itself.
        done: results of objects that several places share, by (compiled object, object).
    """

    known: Sequence[Fault]
    found: list[Fault] = field(default_factory=list)
    done: dict[tuple[int, int], Json | None] = field(default_factory=dict)
    fault_paths: set[tuple[PathKey, ...]] = field(default_factory=set)
    paths_above: set[tuple[PathKey, ...]] = field(default_factory=set)

    def explain_null(self, place: _Place, field_name: str) -> None:
        """Adds a fault for a null where none may stand, unless a fault on its way tells why."""
        path = _path_of(place)
        if not self.fault_paths and self.known:
            for fault in self.known:
                self._remember(fault.path)
        if path in self.paths_above:
            return
        if any(path[:length] in self.fault_paths for length in range(len(path) + 1)):
            return
        self.report(f"Field {field_name} must not be null, and is.", place)

    def report(self, message: str, place: _Place, code: str = FaultCode.INVALID_VALUE) -> None:
        path = _path_of(place)
        self.found.append(Fault(message, code, path))
        self._remember(path)

    def _remember(self, path: tuple[PathKey, ...] | None) -> None:
        if path is None:
            return
        self.fault_paths.add(path)
        self.paths_above.update(path[:length] for length in range(len(path) + 1))


_Complete = Callable[[Any, _Place, _Run], Any]
_Column = tuple[str, str, bool, frozenset[type] | None, _Complete | None, str]


def compile_projection(
    projection: Projection, schema: GraphQLSchema
) -> Callable[[Json, Sequence[Fault]], tuple[Json | None, list[Fault]]]:
    """A function from merged data and its faults to the answer and the faults it adds.

    The answer shares parts with itself where the merged data does, and must not be changed. It is
    None when a null has risen to the root.
    """
    complete = _object_completer(projection, schema)

    def project(data: Json, faults: Sequence[Fault]) -> tuple[Json | None, list[Fault]]:
        run = _Run(faults)
        return complete(data, None, run), run.found

    return project


def _path_of(place: _Place) -> tuple[PathKey, ...]:
    keys: list[PathKey] = []
    while place is not None:
        place, key = place
        keys.append(key)
    return tuple(reversed(keys))


def _object_completer(projection: Projection, schema: GraphQLSchema) -> _Complete:
    by_type = {
        typename: _compiled_fields(typename, fields, schema)
        for typename, fields in projection.fields_by_type.items()
    }
    declared = projection.declared
    only = by_type[declared] if list(by_type) == [declared] else None

    def complete_object(value: Any, place: _Place, run: _Run) -> Json | None:
        if value is None:
            return None
        if type(value) is not dict:
            run.report(
                f"A {declared} is an object, and a subgraph gave something else.",
                place,
                FaultCode.SUBGRAPH_MALFORMED_REPLY,
            )
            return None
        # The id stays good: the merged data keeps every object alive while it is projected.
        token = (id(by_type), id(value))
        done = run.done.get(token)
        if done is not None:
            return done
        compiled = only
        if compiled is None:
            typename = value.get("__typename")
            compiled = by_type.get(typename) if type(typename) is str else None
            if compiled is None:
                run.report(f"A {declared} of a type that it can not have here.", place)
                return None
        faults_before = len(run.found)
        answer = _complete_fields(compiled, value, place, run)
        # A shared object with faults is done again, so that each of its places gets them.
        if answer is not None and len(run.found) == faults_before and not run.known:
            run.done[token] = answer
        return answer

    return complete_object


def _complete_fields(
    compiled: tuple[Json, list[_Column]], value: Json, place: _Place, run: _Run
) -> Json | None:
    template, columns = compiled
    answer = template.copy()
    get = value.get
    for key, source, is_required, leaf_types, complete, name in columns:
        item = get(source)
        if item is not None:
            if complete is not None:
                item = complete(item, (place, key), run)
            elif leaf_types is not None and type(item) not in leaf_types:
                run.report(f"Field {name} has a value of another type.", (place, key))
                item = None
        if item is None and is_required:
            run.explain_null((place, key), name)
            return None
        answer[key] = item
    return answer


def _compiled_fields(
    typename: str, fields: tuple[ProjectedField, ...], schema: GraphQLSchema
) -> tuple[Json, list[_Column]]:
    """The answer with all keys in response order, names of types filled in; and how to fill it."""
    template: Json = {}
    columns: list[_Column] = []
    for projected in fields:
        is_typename = projected.name == "__typename"
        template[projected.response_key] = typename if is_typename else None
        if is_typename:
            continue
        leaf_types, complete = _completer(projected.type, projected.selection, schema)
        coordinate = f"{typename}.{projected.name}"
        columns.append(
            (
                projected.response_key,
                projected.source,
                not projected.type.nullable,
                leaf_types,
                complete,
                coordinate,
            )
        )
    return template, columns


def _completer(
    shape: TypeShape, selection: Projection | None, schema: GraphQLSchema
) -> tuple[frozenset[type] | None, _Complete | None]:
    """How a value that is not null becomes a part of the answer.

    Either the Python types that it may have (None: any), or a function that completes it.
    """
    if shape.item is not None:
        return None, _list_completer(shape.item, selection, schema)
    if selection is not None:
        return None, _object_completer(selection, schema)
    named = schema.type_map.get(shape.name)
    if isinstance(named, GraphQLEnumType):
        return None, _enum_completer(shape.name, frozenset(named.values))
    return _BUILT_IN_SCALARS.get(shape.name), None


def _enum_completer(name: str, values: frozenset[str]) -> _Complete:
    def complete_enum(value: Any, place: _Place, run: _Run) -> Any:
        if type(value) is str and value in values:
            return value
        run.report(f"Enum {name} has no such value.", place)
        return None

    return complete_enum


def _list_completer(
    item_shape: TypeShape, selection: Projection | None, schema: GraphQLSchema
) -> _Complete:
    leaf_types, complete_item = _completer(item_shape, selection, schema)
    is_required = not item_shape.nullable
    name = item_shape.name or "list"

    def complete_list(value: Any, place: _Place, run: _Run) -> list[Any] | None:
        if type(value) is not list:
            run.report(
                f"A list of {name} was expected, and a subgraph gave something else.",
                place,
                FaultCode.SUBGRAPH_MALFORMED_REPLY,
            )
            return None
        answer: list[Any] = []
        for index, item in enumerate(value):
            if item is not None:
                if complete_item is not None:
                    item = complete_item(item, (place, index), run)
                elif leaf_types is not None and type(item) not in leaf_types:
                    run.report(f"A {name} has a value of another type.", (place, index))
                    item = None
            if item is None and is_required:
                run.explain_null((place, index), f"[{name}]")
                return None
            answer.append(item)
        return answer

    return complete_list
