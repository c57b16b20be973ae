"""Gathers entity representations from the objects that entities are asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from gateway.federation.paths import is_among
from gateway.federation.plan import EntityInput, RepresentationField, RepresentationShape

Json = dict[str, Any]


@dataclass(slots=True)
class Gathered:
    """What one `_entities` field is asked for, and where its answers go.

    Attributes:
        representations: no two are equal.
        targets: per representation, the objects that receive its answer; one may come twice.
    """

    representations: list[Json]
    targets: list[list[Json]]


# Gathers at once what one shape asks for; raises KeyError or TypeError when an object lacks a field
# or what should be an object is none.
_Sweep = Callable[[list[Any]], Gathered]

# Adds an object to what is gathered; False when its key is null, so that another shape may fit.
_Builder = Callable[[Json, dict[Hashable, int], Gathered], bool]


class Gatherer:
    """An `EntityInput` made ready to run many times."""

    __slots__ = ("_builders_by_typename", "_sweep", "alias", "path", "variable")

    def __init__(self, entity_input: EntityInput) -> None:
        self.alias = entity_input.alias
        self.variable = entity_input.variable
        self.path = entity_input.path
        self._builders_by_typename: dict[str, list[_Builder]] = {}
        self._sweep: _Sweep | None = None
        for number, shape in enumerate(entity_input.shapes):
            is_flat = all(not field.fields and field.on_types is None for field in shape.fields)
            builder = (_flat_builder if is_flat else _nested_builder)(number, shape)
            for typename in shape.typenames:
                self._builders_by_typename.setdefault(typename, []).append(builder)
            if is_flat and len(entity_input.shapes) == 1:
                self._sweep = _flat_sweep(shape)

    def gather(self, values: list[Any]) -> Gathered:
        """One representation for those of the objects that would be asked for alike.

        Objects of other types, those with a null or missing key, and what is no object are left
        out.
        """
        if self._sweep is not None:
            try:
                return self._sweep(values)
            except (KeyError, TypeError):
                pass  # Something is missing, or can not be told apart by its hash.
        return self._gathered_one_by_one(values)

    def _gathered_one_by_one(self, values: list[Any]) -> Gathered:
        gathered = Gathered([], [])
        position_by_identity: dict[Hashable, int] = {}
        for target in values:
            typename = target.get("__typename") if type(target) is dict else None
            if type(typename) is not str:
                continue
            for build in self._builders_by_typename.get(typename, ()):
                if build(target, position_by_identity, gathered):
                    break
        return gathered


def _flat_sweep(shape: RepresentationShape) -> _Sweep:
    """One loop for the objects and one for those that differ, for a shape of leaves.

    Only names of the GraphQL grammar reach the source, each as a string literal.
    """
    values = [f"v{n}" for n in range(len(shape.fields))]
    sources = [f"target[{field.source!r}]" for field in shape.fields]
    one, *others = sorted(shape.typenames)
    if others:
        passes, sources, names_of = "", ["target['__typename']", *sources], ["typename", *values]
    else:  # As nearly always; then the type tells nothing apart.
        passes, names_of = f"  if target['__typename'] != {one!r}: continue", values
    entries = "".join(
        f", {field.name!r}: {value}" for value, field in zip(values, shape.fields, strict=True)
    )
    unfit = "".join(
        f" or {value} is None"
        for value, field in zip(values, shape.fields, strict=True)
        if field.name in shape.required_keys
    )
    lines = [
        "def sweep(objects):",
        " known = {}",
        " get = known.get",
        " for target in objects:",
        passes,
        f"  identity = ({', '.join(sources)})",  # One alone is no tuple.
        "  targets = get(identity)",
        "  if targets is None: known[identity] = [target]",
        "  else: targets.append(target)",
        " gathered = Gathered([], [])",
        " for identity, targets in known.items():",
        f"  {', '.join(names_of) or '()'} = identity",
        *([] if others else [f"  typename = {one!r}"]),
        f"  if typename not in typenames{unfit}: continue",
        f"  representation = {{'__typename': {_sent_typename(shape)}{entries}}}",
        "  gathered.representations.append(representation)",
        "  gathered.targets.append(targets)",
        " return gathered",
    ]
    names: dict[str, Any] = {"Gathered": Gathered, "typenames": shape.typenames}
    exec(compile("\n".join(lines), "<representations>", "exec"), names)
    sweep: _Sweep = names["sweep"]
    return sweep


def _sent_typename(shape: RepresentationShape) -> str:
    return repr(shape.send_typename) if shape.send_typename else "typename"


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
    values = [f"v{n}" for n in range(len(shape.fields))]
    lines = ["get = target.get"]
    for value, field in zip(values, shape.fields, strict=True):
        lines.append(f"{value} = get({field.source!r})")
        if field.name in shape.required_keys:
            lines.append(f"if {value} is None: return False")
    entries = [f"{field.name!r}: {v}" for v, field in zip(values, shape.fields, strict=True)]
    # One shape always has the same names in the same order, so its values tell it apart.
    lines += [
        "typename = target['__typename']",
        f"typename = {_sent_typename(shape)}",
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
                if field.on_types is None or is_among(target, field.on_types):
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
        if child.on_types is None or is_among(value, child.on_types)
    }
