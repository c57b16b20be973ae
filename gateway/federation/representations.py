"""Gathers entity representations from the merged data and writes the answers back in place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.federation.faults import PathKey
from gateway.federation.plan import (
    Each,
    EntityInput,
    Key,
    RepresentationField,
    RepresentationShape,
    Segment,
)

Json = dict[str, Any]
Path = tuple[PathKey, ...]


@dataclass(slots=True)
class Gathered:
    """What one `_entities` field is asked for, and where its answers go.

    Attributes:
        representations: no two are equal.
        targets: per representation, the objects that receive its answer; one may come twice.
    """

    representations: list[Json]
    targets: list[list[Json]]


# Adds an object to what is gathered; False when its key is null, so that another shape may fit.
_Builder = Callable[[Json, dict[Hashable, int], Gathered], bool]


class Walk:
    """Finds the objects at several paths at once; what the paths have in common is walked once.

    Args:
        paths: from the root of the merged data.
    """

    __slots__ = ("_ends", "_steps")

    def __init__(self, paths: Sequence[tuple[Segment, ...]]) -> None:
        self._steps: list[tuple[int, Segment]] = []
        numbers: dict[tuple[Segment, ...], int] = {(): 0}
        for path in paths:
            for length in range(1, len(path) + 1):
                if path[:length] not in numbers:
                    self._steps.append((numbers[path[: length - 1]], path[length - 1]))
                    numbers[path[:length]] = len(self._steps)
        self._ends = [numbers[path] for path in paths]

    def objects(self, root: Json) -> list[list[Json]]:
        """Per path, the objects there in response order; what does not fit is left out.

        A list that several parents share is walked once. An object may still come twice.
        """
        reached: list[list[Any]] = [[root]]
        for parent, segment in self._steps:
            reached.append(_step(reached[parent], segment))
        return [[v for v in reached[end] if type(v) is dict] for end in self._ends]


def _step(values: list[Any], segment: Segment) -> list[Any]:
    if isinstance(segment, Key):
        name = segment.name
        return [
            value
            for parent in values
            if type(parent) is dict and (value := parent.get(name)) is not None
        ]
    if isinstance(segment, Each):
        lists = {id(value): value for value in values if type(value) is list}
        return [item for items in lists.values() for item in items if item is not None]
    return [value for value in values if _is_among(value, segment.typenames)]


def located_objects_at(root: Json, path: Sequence[Segment]) -> list[tuple[Json, Path]]:
    """Every object at `path` with each place where it lies; slower, made for error paths."""
    located: list[tuple[Any, Path]] = [(root, ())]
    for segment in path:
        if isinstance(segment, Key):
            name = segment.name
            located = [
                (value, (*place, name))
                for parent, place in located
                if type(parent) is dict and (value := parent.get(name)) is not None
            ]
        elif isinstance(segment, Each):
            located = [
                (item, (*place, index))
                for items, place in located
                if type(items) is list
                for index, item in enumerate(items)
                if item is not None
            ]
        else:
            located = [entry for entry in located if _is_among(entry[0], segment.typenames)]
    return [(value, place) for value, place in located if type(value) is dict]


def _is_among(value: Any, typenames: frozenset[str]) -> bool:
    if type(value) is not dict:
        return False
    typename = value.get("__typename")
    return type(typename) is str and typename in typenames


class Gatherer:
    """An `EntityInput` made ready to run many times."""

    __slots__ = ("_builders_by_typename", "alias", "path", "variable")

    def __init__(self, entity_input: EntityInput) -> None:
        self.alias = entity_input.alias
        self.variable = entity_input.variable
        self.path = entity_input.path
        self._builders_by_typename: dict[str, list[_Builder]] = {}
        for number, shape in enumerate(entity_input.shapes):
            is_flat = all(not field.fields and field.on_types is None for field in shape.fields)
            builder = (_flat_builder if is_flat else _nested_builder)(number, shape)
            for typename in shape.typenames:
                self._builders_by_typename.setdefault(typename, []).append(builder)

    def gather(self, objects: list[Json]) -> Gathered:
        """One representation for those of the objects that would be asked for alike.

        Objects of other types, and those with a null or missing key, are left out.
        """
        gathered = Gathered([], [])
        position_by_identity: dict[Hashable, int] = {}
        builders_by_typename = self._builders_by_typename
        for target in objects:
            typename = target.get("__typename")
            if type(typename) is not str:
                continue
            for build in builders_by_typename.get(typename, ()):
                if build(target, position_by_identity, gathered):
                    break
        return gathered


def _add(
    gathered: Gathered,
    known: dict[Hashable, int],
    identity: Hashable,
    target: Json,
    representation: Json,
) -> None:
    known[identity] = len(gathered.targets)
    gathered.representations.append(representation)
    gathered.targets.append([target])


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return ("object", *((key, _frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    return (type(value), value)


def _flat_builder(number: int, shape: RepresentationShape) -> _Builder:
    """Straight code for a shape of leaves, the most common by far; twice as fast as a loop.

    Only names of the GraphQL grammar reach the source, each as a string literal.
    """
    typename = repr(shape.send_typename) if shape.send_typename else "target['__typename']"
    values = [f"v{n}" for n in range(len(shape.fields))]
    lines = ["get = target.get"]
    for value, field in zip(values, shape.fields, strict=True):
        lines.append(f"{value} = get({field.source!r})")
        if field.name in shape.required_keys:
            lines.append(f"if {value} is None: return False")
    entries = [f"{field.name!r}: {v}" for v, field in zip(values, shape.fields, strict=True)]
    # One shape always has the same names in the same order, so its values tell it apart.
    lines += [
        f"typename = {typename}",
        f"identity = ({number}, typename, {', '.join(values)})",
        "try: position = known.get(identity)",
        "except TypeError:",
        "    identity = frozen(list(identity))",
        "    position = known.get(identity)",
        "if position is not None: gathered.targets[position].append(target)",
        f"else: add(gathered, known, identity, target, {{'__typename': typename, "
        f"{', '.join(entries)}}})",
        "return True",
    ]
    source = "def build(target, known, gathered):\n" + "".join(f"    {line}\n" for line in lines)
    names: dict[str, Any] = {"add": _add, "frozen": _frozen}
    exec(compile(source, f"<representation {number}>", "exec"), names)
    builder: _Builder = names["build"]
    return builder


class _KeyIsNull(Exception):
    """A key has a null somewhere inside, so the object can not be asked for."""


def _nested_builder(number: int, shape: RepresentationShape) -> _Builder:
    send_typename = shape.send_typename

    def build(target: Json, known: dict[Hashable, int], gathered: Gathered) -> bool:
        representation: Json = {"__typename": send_typename or target["__typename"]}
        try:
            for field in shape.fields:
                if field.on_types is None or _is_among(target, field.on_types):
                    is_key = field.name in shape.required_keys
                    value = target.get(field.source)
                    representation[field.name] = _picked(field, value, is_key=is_key)
        except _KeyIsNull:
            return False
        identity = (number, _frozen(representation))
        position = known.get(identity)
        if position is None:
            _add(gathered, known, identity, target, representation)
        else:
            gathered.targets[position].append(target)
        return True

    return build


def _picked(field: RepresentationField, value: Any, *, is_key: bool) -> Any:
    if value is None:
        if is_key:
            raise _KeyIsNull
        return None
    if not field.fields:
        return value
    if isinstance(value, list):
        return [None if item is None else _picked(field, item, is_key=is_key) for item in value]
    if not isinstance(value, dict):
        raise _KeyIsNull  # A subgraph gave a leaf where its schema has an object.
    return {
        child.name: _picked(child, value.get(child.source), is_key=is_key)
        for child in field.fields
        if child.on_types is None or _is_among(value, child.on_types)
    }


def merge_object(target: Json, source: Json) -> None:
    """Writes `source` into `target`: objects and lists deeply, and never null over a value.

    Lists merge by index up to the shorter one. Parts of `source` become part of `target`.
    """
    for key, value in source.items():
        existing = target.get(key)
        if existing is None:
            target[key] = value
        elif value is not None and existing is not value:
            target[key] = _merged(existing, value)


def _merged(existing: Any, value: Any) -> Any:
    if type(existing) is dict and type(value) is dict:
        merge_object(existing, value)
        return existing
    if type(existing) is list and type(value) is list:
        for index in range(min(len(existing), len(value))):
            item = value[index]
            if item is None or existing[index] is item:
                continue
            old = existing[index]
            existing[index] = item if old is None else _merged(old, item)
        return existing
    return value
