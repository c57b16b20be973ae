"""Shapes the merged data into the answer: order, types, null propagation and enum values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLSchema

from gateway.federation.faults import Fault, FaultCode, PathKey
from gateway.federation.plan import ProjectedField, Projection, TypeShape
from gateway.federation.regular_projection import BUILT_IN_SCALARS, Irregular, compile_regular

Json = dict[str, Any]

# A place as nested pairs, innermost key first; only turned into a path when a fault needs one.
_Place = tuple[Any, PathKey] | None

# Completes a value that is not null, and gives None for one that can not stand there.
_Complete = Callable[[Any, _Place, "_Run"], Any]

# Beyond these, what is wrong becomes null without a fault of its own: one reply can hold millions.
FAULTS_MAX: Final = 100


@dataclass(slots=True)
class _Run:
    """One projection of one answer.

    Attributes:
        known: faults of the gathering.
        found: faults of the projection itself, as many as are told.
        count: all that were found.
        done: results for objects and lists that places may share, by completer and id.
    """

    known: Sequence[Fault]
    found: list[Fault] = field(default_factory=list)
    count: int = 0
    done: dict[tuple[_Complete, int], Any] = field(default_factory=dict)
    has_read_known: bool = False
    fault_paths: set[tuple[PathKey, ...]] = field(default_factory=set)
    paths_above: set[tuple[PathKey, ...]] = field(default_factory=set)

    def explain_null(self, place: _Place, field_name: str) -> None:
        """Adds a fault for a null where none may stand, unless a fault on its way tells why."""
        path = _path_of(place)
        if not self.has_read_known:
            self.has_read_known = True
            for fault in self.known:
                self._remember(fault.path)
        if path in self.paths_above:
            return
        if any(path[:length] in self.fault_paths for length in range(len(path) + 1)):
            return
        self.report(f"Field {field_name} must not be null, and is.", place)

    def refuse_leaf(self, field_name: str, place: _Place) -> None:
        """Adds a fault for a leaf that its type does not allow."""
        self.report(f"Field {field_name} has a value of another type.", place)

    def refuse_object(self, type_name: str, place: _Place) -> None:
        """Adds a fault for what should be an object and is not."""
        self.report(
            f"A {type_name} is an object, and a subgraph gave something else.",
            place,
            FaultCode.SUBGRAPH_MALFORMED_REPLY,
        )

    def report(self, message: str, place: _Place, code: str = FaultCode.INVALID_VALUE) -> None:
        self.count += 1
        if self.count > FAULTS_MAX:
            return
        path = _path_of(place)
        self.found.append(Fault(message, code, path))
        self._remember(path)

    def _remember(self, path: tuple[PathKey, ...] | None) -> None:
        if path is None:
            return
        self.fault_paths.add(path)
        self.paths_above.update(path[:length] for length in range(len(path) + 1))


def compile_projection(
    projection: Projection, schema: GraphQLSchema
) -> Callable[[Json, Sequence[Fault]], tuple[Json | None, list[Fault]]]:
    """A function from merged data and its faults to the answer and the faults it adds.

    The answer shares parts with itself where the merged data does, and must not be changed. It is
    None when a null has risen to the root.
    """
    project_regular = compile_regular(projection, schema)
    # Compiled when something is wrong for the first time; most plans never need it.
    completers: list[_Complete] = []

    def project(data: Json, faults: Sequence[Fault]) -> tuple[Json | None, list[Fault]]:
        try:
            return project_regular(data), []
        except Irregular:
            if not completers:
                completers.append(_object_completer(projection, schema))
        run = _Run(faults)
        answer: Json | None = completers[0](data, None, run)
        return answer, run.found

    return project


def _path_of(place: _Place) -> tuple[PathKey, ...]:
    keys: list[PathKey] = []
    while place is not None:
        place, key = place
        keys.append(key)
    return tuple(reversed(keys))


def _object_completer(projection: Projection, schema: GraphQLSchema) -> _Complete:
    declared = projection.declared
    fields_by_type = projection.fields_by_type
    if list(fields_by_type) == [declared]:
        return _generated(declared, fields_by_type[declared], schema)
    return _abstract_completer(declared, fields_by_type, schema)


def _abstract_completer(
    declared: str, fields_by_type: dict[str, tuple[ProjectedField, ...]], schema: GraphQLSchema
) -> _Complete:
    completers: dict[str, _Complete] = {}

    def complete_abstract(value: Any, place: _Place, run: _Run) -> Json | None:
        if type(value) is not dict:
            run.refuse_object(declared, place)
            return None
        typename = value.get("__typename")
        if type(typename) is not str or typename not in fields_by_type:
            run.report(f"A {declared} of a type that it can not have here.", place)
            return None
        complete = completers.get(typename)
        if complete is None:
            # Made when a type is first seen: most that are possible never are.
            complete = _generated(typename, fields_by_type[typename], schema)
            completers[typename] = complete
        answer: Json | None = complete(value, place, run)
        return answer

    return complete_abstract


def _remembering(complete: _Complete) -> _Complete:
    """The same, but a value that several places share is done once while nothing is wrong."""

    def complete_once(value: Any, place: _Place, run: _Run) -> Any:
        if run.known:
            return complete(value, place, run)
        # Ids stay good: the merged data keeps everything alive while it is projected.
        token = (complete, id(value))
        done = run.done.get(token)
        if done is not None:
            return done
        faults_before = run.count
        answer = complete(value, place, run)
        # One with faults is done again, so that each of its places gets them.
        if answer is not None and run.count == faults_before:
            run.done[token] = answer
        return answer

    return complete_once


def _generated(
    typename: str, fields: tuple[ProjectedField, ...], schema: GraphQLSchema
) -> _Complete:
    """A function that completes one object: straight code is twice as fast as a loop over fields.

    Only names of the GraphQL grammar reach the source, each as a string literal.
    """
    names: dict[str, Any] = {}
    lines: list[str] = []
    entries: list[str] = []
    for n, projected in enumerate(fields):
        key = projected.response_key
        if projected.name == "__typename":
            entries.append(f"{key!r}: {typename!r}")
            continue
        entries.append(f"{key!r}: v{n}")
        place, coordinate = f"(place, {key!r})", f"{typename}.{projected.name}"
        leaf_types, complete = _completer(projected.type, projected.selection, schema)
        lines.append(f"v{n} = get({projected.source!r})")
        if complete is not None:
            names[f"complete{n}"] = complete
            lines.append(f"if v{n} is not None: v{n} = complete{n}(v{n}, {place}, run)")
        elif leaf_types is not None:
            names[f"types{n}"] = leaf_types
            lines.append(f"if type(v{n}) not in types{n} and v{n} is not None:")
            lines.append(f"    v{n} = run.refuse_leaf({coordinate!r}, {place})")
        if not projected.type.nullable:
            lines.append(f"if v{n} is None: return run.explain_null({place}, {coordinate!r})")
    body = "".join(f"    {line}\n" for line in lines)
    source = (
        "def complete(value, place, run):\n"
        f"    if type(value) is not dict: return run.refuse_object({typename!r}, place)\n"
        f"    get = value.get\n{body}"
        f"    return {{{', '.join(entries)}}}\n"
    )
    exec(compile(source, f"<projection of {typename}>", "exec"), names)
    completer: _Complete = names["complete"]
    return completer


def _completer(
    shape: TypeShape, selection: Projection | None, schema: GraphQLSchema
) -> tuple[frozenset[type] | None, _Complete | None]:
    """How a value that is not null becomes a part of the answer.

    Either the Python types that it may have (None: any), or a function that completes it.
    """
    if shape.item is not None:
        complete_list = _list_completer(shape.item, selection, schema)
        return None, complete_list if selection is None else _remembering(complete_list)
    if selection is not None:
        complete_object = _object_completer(selection, schema)
        # Objects that hold others are worth remembering; the rest are made anew as quickly.
        is_deep = any(f.selection for fs in selection.fields_by_type.values() for f in fs)
        return None, _remembering(complete_object) if is_deep else complete_object
    named = schema.type_map.get(shape.name)
    if isinstance(named, GraphQLEnumType):
        return None, _enum_completer(shape.name, frozenset(named.values))
    return BUILT_IN_SCALARS.get(shape.name), None


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
    leaf_types: frozenset[type] | None = None
    complete_item: _Complete | None
    if selection is not None and item_shape.item is None:
        # Whoever shares an item shares its list, which is remembered as a whole.
        complete_item = _object_completer(selection, schema)
    else:
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
                    run.refuse_leaf(f"[{name}]", (place, index))
                    item = None
            if item is None and is_required:
                run.explain_null((place, index), f"[{name}]")
                return None
            answer.append(item)
        return answer

    return complete_list
