"""Shapes merged data in which nothing is wrong, as nearly all is, by code made for one projection.

The code has one loop per list and no calls or paths for single values, which takes less than half
the time of going from object to object. Whatever is irregular raises `Irregular`; who asked then
begins again with `gateway.federation.projection`, which knows each value's place and can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLSchema

from gateway.federation.plan import ProjectedField, Projection, TypeShape

Json = dict[str, Any]

BUILT_IN_SCALARS: Final[dict[str, frozenset[type]]] = {
    "Int": frozenset({int}),
    "Float": frozenset({int, float}),
    "String": frozenset({str}),
    "Boolean": frozenset({bool}),
    "ID": frozenset({str, int}),
}

# Objects in one another that become one function; deeper ones get a function of their own.
_INLINED_MAX: Final = 8


class Irregular(Exception):
    """Some value can not stand where it does, or a null would have to rise."""


class _Memory(dict[int, dict[int, Any]]):
    """Per list of the projection, the answers by the id of the merged list."""

    def __missing__(self, number: int) -> dict[int, Any]:
        known = self[number] = {}
        return known


_Shape = Callable[[Any, _Memory], Any]


def compile_regular(projection: Projection, schema: GraphQLSchema) -> Callable[[Json], Json]:
    """A function from merged data to the answer; it raises `Irregular`, and changes nothing.

    The answer shares lists with itself where the merged data does, and must not be changed.
    """
    writer = _Writer(schema, count())
    shape = writer.object_shape(projection)

    def project(data: Json) -> Json:
        try:
            answer: Json = shape(data, _Memory())
        except (KeyError, TypeError):  # A field, or an object, that is not there.
            raise Irregular from None
        return answer

    return project


class _ShapesByType(dict[str, _Shape]):
    """Shapes of the types behind an abstract one; made when a type is first seen."""

    def __init__(self, writer: _Writer, projection: Projection) -> None:
        self._writer = writer
        self._fields_by_type = projection.fields_by_type

    def __missing__(self, typename: str) -> _Shape:
        shape = self[typename] = self._writer.typed_shape(typename, self._fields_by_type[typename])
        return shape


class _Writer:
    """Writes functions; `numbers` tells variables, lists and functions apart."""

    def __init__(self, schema: GraphQLSchema, numbers: Iterator[int]) -> None:
        self._schema = schema
        self._numbers = numbers

    def object_shape(self, projection: Projection) -> _Shape:
        """A function of an object and the memory."""
        typename = projection.declared
        if list(projection.fields_by_type) == [typename]:
            return self.typed_shape(typename, projection.fields_by_type[typename])
        shapes = _ShapesByType(self, projection)
        return lambda value, memory: shapes[value["__typename"]](value, memory)

    def typed_shape(self, typename: str, fields: tuple[ProjectedField, ...]) -> _Shape:
        """The same for an object that is known to be of a type."""
        code = _Code(["def shape(value, memory):"])
        answer = self._object(code, "value", typename, fields, depth=1)
        code.lines.append(f" return {answer}")
        return code.function()

    def _list_shape(self, item: TypeShape, selection: Projection | None) -> _Shape:
        """A function of a list and the memory; a list that several places share is shaped once."""
        number, value = next(self._numbers), f"v{next(self._numbers)}"
        code = _Code(
            [
                "def shape(values, memory):",
                " if type(values) is not list: raise Irregular",
                f" known = memory[{number}]",
                " answer = known.get(id(values))",
                " if answer is not None: return answer",
                " answer = known[id(values)] = []",
                " append = answer.append",
                f" for {value} in values:",
            ]
        )
        self._complete(code, value, item, selection, depth=2)
        code.lines += [f"  append({value})", " return answer"]
        return code.function()

    def _object(
        self,
        code: _Code,
        value: str,
        typename: str,
        fields: tuple[ProjectedField, ...],
        *,
        depth: int,
    ) -> str:
        """Writes lines that complete every field; an expression for the object.

        Only names of the GraphQL grammar reach the source, each as a string literal.
        """
        indent = " " * depth
        entries: list[str] = []
        for field in fields:
            if field.name == "__typename":
                entries.append(f"{field.response_key!r}: {typename!r}")
                continue
            name = f"v{next(self._numbers)}"
            code.lines.append(f"{indent}{name} = {value}[{field.source!r}]")
            self._complete(code, name, field.type, field.selection, depth=depth)
            entries.append(f"{field.response_key!r}: {name}")
        if not any(field.name != "__typename" for field in fields):
            code.lines.append(f"{indent}if type({value}) is not dict: raise Irregular")
        return f"{{{', '.join(entries)}}}"

    def _complete(
        self,
        code: _Code,
        value: str,
        shape: TypeShape,
        selection: Projection | None,
        *,
        depth: int,
    ) -> None:
        """Writes lines that put into the variable `value` what the answer has there."""
        indent = " " * depth
        if shape.item is None and selection is None:
            if condition := self._irregular(code, value, shape):
                code.lines.append(f"{indent}if {condition}: raise Irregular")
            return
        if shape.nullable:
            code.lines.append(f"{indent}if {value} is not None:")
        else:
            code.lines.append(f"{indent}if {value} is None: raise Irregular")
        inner = depth + 1 if shape.nullable else depth
        if shape.item is not None:
            answer = f"{code.constant(self._list_shape(shape.item, selection))}({value}, memory)"
        else:
            assert selection is not None
            answer = self._below(code, value, selection, depth=inner)
        code.lines.append(f"{' ' * inner}{value} = {answer}")

    def _below(self, code: _Code, value: str, selection: Projection, *, depth: int) -> str:
        typename = selection.declared
        if depth <= _INLINED_MAX and list(selection.fields_by_type) == [typename]:
            return self._object(
                code, value, typename, selection.fields_by_type[typename], depth=depth
            )
        return f"{code.constant(self.object_shape(selection))}({value}, memory)"

    def _irregular(self, code: _Code, value: str, shape: TypeShape) -> str:
        """A condition that holds for leaves that can not stand there; empty for none."""
        named = self._schema.type_map.get(shape.name)
        if isinstance(named, GraphQLEnumType):
            values = frozenset(named.values)
            wrong = f"{value} not in {code.constant(values)}"
        else:
            types = sorted(BUILT_IN_SCALARS.get(shape.name, ()), key=lambda one: one.__name__)
            wrong = " and ".join(f"type({value}) is not {one.__name__}" for one in types)
        if shape.nullable:
            return wrong and f"{wrong} and {value} is not None"
        return wrong or f"{value} is None"


class _Code:
    """Lines of one function, named `shape`, and the constants that they name."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._names: dict[str, Any] = {"Irregular": Irregular}

    def constant(self, value: object) -> str:
        """A name for the value."""
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def function(self) -> _Shape:
        """What the lines define."""
        exec(compile("\n".join(self.lines), "<projection>", "exec"), self._names)
        shape: _Shape = self._names["shape"]
        return shape
