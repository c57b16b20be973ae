"""Types of the merged schema, with what each subgraph says about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

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
        overridden: another subgraph took the field over, whatever labels hold.
        label: override label on which it depends whether this subgraph answers the field; None
            when it depends on none.
        answers_with_label: whether it answers when the label holds, or when it does not.
        type: the field's type here, where it differs from the merged one.
    """

    requires: str | None = None
    provides: str | None = None
    external: bool = False
    overridden: bool = False
    label: str | None = None
    answers_with_label: bool = False
    type: TypeNode | None = None

    def under(self, labels: Collection[str]) -> FieldInSubgraph:
        """The same declaration when exactly these labels hold."""
        if self.label is None:
            return self
        answers = (self.label in labels) == self.answers_with_label
        return replace(self, overridden=not answers, label=None)


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


def under_labels(
    types: Mapping[str, MergedType], labels: Collection[str]
) -> Mapping[str, MergedType]:
    """The types as they are when exactly these override labels hold."""
    return {name: _under_labels(merged, labels) for name, merged in types.items()}


def _under_labels(merged: MergedType, labels: Collection[str]) -> MergedType:
    fields = {
        name: replace(
            field,
            subgraphs={at: entry.under(labels) for at, entry in field.subgraphs.items()},
        )
        for name, field in merged.fields.items()
        if any(entry.label for entry in field.subgraphs.values())
    }
    return replace(merged, fields={**merged.fields, **fields}) if fields else merged


def named_type(type_node: TypeNode) -> str:
    """The name inside all list and non-null wrappers."""
    while not isinstance(type_node, NamedTypeNode):
        type_node = type_node.type  # type: ignore[attr-defined]
    return type_node.name.value
