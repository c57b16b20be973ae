"""The supergraph while it is put together: merged types, and who in which subgraph owns what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.federation.subgraph import (
    NO_MARKERS,
    InputValue,
    Kind,
    Markers,
    Subgraph,
    TypeRef,
)


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """How one subgraph takes part in a field: one `@join__field`.

    Attributes:
        subgraph: its name; None when the field comes from interface objects alone.
        type: set when the subgraph's type is not the merged one.
    """

    subgraph: str | None
    type: str | None = None
    requires: str | None = None
    provides: str | None = None
    external: bool = False
    override: str | None = None
    override_label: str | None = None
    used_overridden: bool = False


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of an object or interface; without owners, every subgraph of its type has it."""

    name: str
    type: TypeRef
    arguments: Mapping[str, InputValue] = field(default_factory=dict)
    description: str | None = None
    markers: Markers = NO_MARKERS
    owners: tuple[FieldOwner, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedInputField:
    """A field of an input object."""

    value: InputValue
    owners: tuple[FieldOwner, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedValue:
    """An enum value and the subgraphs that know it."""

    name: str
    subgraphs: tuple[str, ...]
    description: str | None = None
    markers: Markers = NO_MARKERS


@dataclass(frozen=True, slots=True)
class TypeOwner:
    """How one subgraph knows a type: one `@join__type`, so one per key."""

    subgraph: str
    key: str | None = None
    extension: bool = False
    resolvable: bool = True
    is_interface_object: bool = False


@dataclass(slots=True)
class MergedType:
    """A type of the supergraph.

    Attributes:
        implements: pairs of (subgraph, interface).
        members: pairs of (subgraph, object) of a union.
    """

    name: str
    kind: Kind
    owners: tuple[TypeOwner, ...]
    description: str | None = None
    markers: Markers = NO_MARKERS
    fields: dict[str, MergedField] = field(default_factory=dict)
    input_fields: dict[str, MergedInputField] = field(default_factory=dict)
    values: dict[str, MergedValue] = field(default_factory=dict)
    implements: tuple[tuple[str, str], ...] = ()
    members: tuple[tuple[str, str], ...] = ()

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Interfaces that some subgraph says it implements, in order."""
        return tuple(dict.fromkeys(name for _, name in self.implements))

    @property
    def union_members(self) -> tuple[str, ...]:
        """Objects that some subgraph says are members, in order."""
        return tuple(dict.fromkeys(name for _, name in self.members))


@dataclass(frozen=True, slots=True)
class Supergraph:
    """The merged schema.

    Attributes:
        subgraphs: in the order of their names.
        types: by name, sorted.
    """

    subgraphs: tuple[Subgraph, ...]
    types: Mapping[str, MergedType]
