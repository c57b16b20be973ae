"""What one subgraph declares, typed: its types, keys, owners and markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from graphql import (
    DirectiveDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
)

ROOT_NAMES = ("Query", "Mutation", "Subscription")
BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})


class Kind(StrEnum):
    """Kind of a type, as GraphQL introspection spells it."""

    SCALAR = "SCALAR"
    OBJECT = "OBJECT"
    INTERFACE = "INTERFACE"
    UNION = "UNION"
    ENUM = "ENUM"
    INPUT_OBJECT = "INPUT_OBJECT"


@dataclass(frozen=True, slots=True)
class NamedRef:
    """A type by its name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ListRef:
    """A list of a type."""

    of: TypeRef

    def __str__(self) -> str:
        return f"[{self.of}]"


@dataclass(frozen=True, slots=True)
class NonNullRef:
    """A type that is never null."""

    of: NamedRef | ListRef

    def __str__(self) -> str:
        return f"{self.of}!"


TypeRef = NamedRef | ListRef | NonNullRef


def type_ref(node: TypeNode) -> TypeRef:
    """The reference that a type node of a document spells."""
    match node:
        case NonNullTypeNode():
            inner = type_ref(node.type)
            assert not isinstance(inner, NonNullRef)
            return NonNullRef(inner)
        case ListTypeNode():
            return ListRef(type_ref(node.type))
        case NamedTypeNode():
            return NamedRef(node.name.value)
        case _:
            raise AssertionError(f"not a type: {node}")


def named_type(ref: TypeRef) -> str:
    """Name of the type inside lists and non-nulls."""
    while not isinstance(ref, NamedRef):
        ref = ref.of
    return ref.name


@dataclass(frozen=True, slots=True)
class AppliedDirective:
    """A directive that is not of the federation, as written on an element."""

    name: str
    text: str


ScopeSets = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Markers:
    """Directives of an element that the supergraph carries on.

    Attributes:
        scopes: alternatives, each a set of scopes that must all be held; None when not given.
        policies: the same for policies.
        deprecated: the reason; None when not deprecated.
        specified_by: url that says what a scalar means.
        one_of: whether exactly one field of an input object is to be given.
        applied: directives of the subgraph's own.
    """

    inaccessible: bool = False
    tags: tuple[str, ...] = ()
    authenticated: bool = False
    scopes: ScopeSets | None = None
    policies: ScopeSets | None = None
    deprecated: str | None = None
    specified_by: str | None = None
    one_of: bool = False
    applied: tuple[AppliedDirective, ...] = ()


NO_MARKERS = Markers()


@dataclass(frozen=True, slots=True)
class InputValue:
    """An argument or a field of an input object; `default` is GraphQL text."""

    name: str
    type: TypeRef
    default: str | None = None
    description: str | None = None
    markers: Markers = NO_MARKERS

    @property
    def is_required(self) -> bool:
        """Whether a client must give it."""
        return isinstance(self.type, NonNullRef) and self.default is None


@dataclass(frozen=True, slots=True)
class Override:
    """The subgraph that a field is taken from; with a label, only for some requests."""

    source: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface; `requires` and `provides` are field-set text."""

    name: str
    type: TypeRef
    arguments: Mapping[str, InputValue] = field(default_factory=dict)
    description: str | None = None
    markers: Markers = NO_MARKERS
    external: bool = False
    requires: str | None = None
    provides: str | None = None
    shareable: bool = False
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One value of an enum."""

    name: str
    description: str | None = None
    markers: Markers = NO_MARKERS


@dataclass(frozen=True, slots=True)
class Key:
    """Fields that identify an entity; not resolvable means that others must not ask by it."""

    fields: str
    resolvable: bool = True


@dataclass(frozen=True, slots=True)
class SubgraphType:
    """A type as one subgraph declares it; what does not belong to its kind is empty."""

    name: str
    kind: Kind
    description: str | None = None
    markers: Markers = NO_MARKERS
    fields: Mapping[str, Field] = field(default_factory=dict)
    input_fields: Mapping[str, InputValue] = field(default_factory=dict)
    values: Mapping[str, EnumValue] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    keys: tuple[Key, ...] = ()
    is_extension: bool = False
    is_interface_object: bool = False

    @property
    def is_root(self) -> bool:
        """Whether operations start here."""
        return self.name in ROOT_NAMES


@dataclass(frozen=True, slots=True)
class Link:
    """A specification that the schema links to.

    Attributes:
        imports: pairs of (name in the specification, name in this schema), `@` kept.
    """

    url: str
    alias: str | None = None
    imports: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One subgraph; root types are called Query, Mutation and Subscription throughout.

    Attributes:
        composed: names, without `@`, of directives that the supergraph must keep.
        is_federation_1: written before `@link`: everything that two subgraphs answer is shared.
    """

    name: str
    url: str
    types: Mapping[str, SubgraphType]
    directives: Mapping[str, DirectiveDefinitionNode]
    links: tuple[Link, ...]
    composed: tuple[str, ...]
    is_federation_1: bool

    def possible_types(self, name: str) -> tuple[str, ...]:
        """Objects that a value of this type may be, in this subgraph, by name."""
        declared = self.types.get(name)
        if declared is None:
            return ()
        if declared.kind is Kind.UNION:
            return tuple(sorted(declared.members))
        if declared.kind is Kind.INTERFACE:
            return tuple(
                sorted(
                    one.name
                    for one in self.types.values()
                    if one.kind is Kind.OBJECT and name in one.interfaces
                )
            )
        return (name,)
