"""Types of the merged schema, with what each subgraph says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import NamedTypeNode, TypeNode


@dataclass(frozen=True, slots=True)
class EntityKey:
    """A `@key` of a type in one subgraph.

    Attributes:
        fields: the key's field set as written.
        resolvable: whether the subgraph resolves references by it.
    """

    fields: str
    resolvable: bool


@dataclass(frozen=True, slots=True)
class TypeInSubgraph:
    """What one subgraph says about a type as a whole.

    Attributes:
        keys: in the order written.
        is_interface_object: the subgraph treats an interface of others as an object.
    """

    keys: tuple[EntityKey, ...]
    is_interface_object: bool


@dataclass(frozen=True, slots=True)
class FieldInSubgraph:
    """A field as one subgraph declares it.

    Attributes:
        requires: field set that must come with the representation; None when nothing must.
        provides: field set that this subgraph resolves below the field though it is external.
        external: declared only to be named in keys, requires and provides.
        overridden: another subgraph took the field over.
        type: the field's type here, where it differs from the merged one.
    """

    requires: str | None = None
    provides: str | None = None
    external: bool = False
    overridden: bool = False
    type: TypeNode | None = None


@dataclass(frozen=True, slots=True)
class FieldOfType:
    """A field of the merged schema.

    Attributes:
        type: merged type.
        subgraphs: by subgraph name, every subgraph that declares it.
    """

    name: str
    type: TypeNode
    subgraphs: Mapping[str, FieldInSubgraph]


@dataclass(frozen=True, slots=True)
class MergedType:
    """An object, interface or union type of the merged schema.

    Attributes:
        kind: `object`, `interface`, `union` or `leaf` (scalars, enums and inputs).
        subgraphs: by subgraph name, every subgraph that has the type.
        fields: empty for unions and leaves.
        implements: interfaces it implements, by subgraph.
        members: members of a union, by subgraph.
        values: values of an enum, by subgraph.
        inaccessible: not part of the public schema.
    """

    name: str
    kind: str
    subgraphs: Mapping[str, TypeInSubgraph]
    fields: Mapping[str, FieldOfType]
    implements: Mapping[str, frozenset[str]]
    members: Mapping[str, frozenset[str]]
    values: Mapping[str, frozenset[str]]
    inaccessible: bool


def named_type(type_node: TypeNode) -> str:
    """The name inside all list and non-null wrappers."""
    while not isinstance(type_node, NamedTypeNode):
        type_node = type_node.type  # type: ignore[attr-defined]
    return type_node.name.value
