"""Makes the plain parts of a schema quick: fields that are attributes, inputs that are dataclasses.

Strawberry resolves each type anew for each value; a cart of fifty lines has hundreds. Here it is
done once for each type, by the hooks that Strawberry and graphql-core have for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)
from strawberry.scalars import is_scalar
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

_Convert = Callable[[Any, Any], Any]
"""From a coerced GraphQL value, and Strawberry's input context, to what resolvers get."""


def read_attributes_plainly(schema: GraphQLSchema) -> None:
    """Gives each field that is an attribute of its object a resolver that only reads it."""
    for named in schema.type_map.values():
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            continue
        for field in named.fields.values():
            definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if definition is not None and getattr(field.resolve, "_is_default", False):
                field.resolve = _reader(definition.python_name)


def build_inputs_plainly(schema: Any, executable: GraphQLSchema) -> None:
    """Lets each input type build its values by converters that are found once."""
    for named in executable.type_map.values():
        if isinstance(named, GraphQLInputObjectType):
            definition = named.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if isinstance(definition, StrawberryObjectDefinition):
                definition.from_input = _Builder(definition, schema).build


def _reader(name: str) -> Callable[[Any, Any], Any]:
    get = attrgetter(name)

    def read(source: Any, _info: Any) -> Any:
        return get(source)

    return read


class _Builder:
    """Builds values of one input type, as Strawberry would."""

    def __init__(self, definition: StrawberryObjectDefinition, schema: Any) -> None:
        self._definition = definition
        self._schema = schema
        self._fields: list[tuple[str, str, _Convert | None]] | None = None
        self._absent: dict[str, None] = {}

    def build(self, type_: type, value: Mapping[str, Any], context: Any) -> Any:
        """The value; fields that are absent have their defaults, or None."""
        if self._fields is None:
            # Types may name each other before they are made, so not before the first value.
            self._fields = self._found()
        given: dict[str, Any] = dict(self._absent)
        for name, attribute, convert in self._fields:
            if name in value:
                raw = value[name]
                given[attribute] = raw if convert is None else convert(raw, context)
        return type_(**given)

    def _found(self) -> list[tuple[str, str, _Convert | None]]:
        config = self._schema.config
        found = []
        for field in self._definition.fields:
            if field.default_value is MISSING and field.default_factory is MISSING:
                self._absent[field.python_name] = None
            type_ = field.resolve_type(type_definition=self._definition)
            name = config.name_converter.from_field(field)
            found.append((name, field.python_name, self._converter(type_)))
        return found

    def _converter(self, type_: Any) -> _Convert | None:
        """How values of a type are converted; None when they stay as they are."""
        if isinstance(type_, StrawberryMaybe):
            return lambda value, context: context.convert(value, type_)
        if isinstance(type_, StrawberryOptional):
            inner = self._converter(type_.of_type)
            return None if inner is None else _or_none(inner)
        if isinstance(type_, LazyType):
            return self._converter(type_.resolve_type())
        if isinstance(type_, StrawberryList):
            # A list is copied: graphql-core gives the same default to every request.
            return _or_none(_each(self._converter(type_.of_type)))
        registry = self._schema.schema_converter.scalar_registry
        is_enum = isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_)
        if is_enum or is_scalar(type_, registry):
            return None
        if has_object_definition(type_):
            definition = type_.__strawberry_definition__
            if definition.from_input is not None:
                build = definition.from_input
                return lambda value, context: build(type_, value, context)
        return lambda value, context: context.convert(value, type_)


def _or_none(convert: _Convert) -> _Convert:
    return lambda value, context: None if value is None else convert(value, context)


def _each(convert: _Convert | None) -> _Convert:
    if convert is None:
        return lambda values, _context: list(values)
    return lambda values, context: [convert(value, context) for value in values]
