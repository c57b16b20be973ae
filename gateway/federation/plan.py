"""A query plan: which subgraphs are asked what, in which order, and how the answer is shaped."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphql import DocumentNode


@dataclass(frozen=True, slots=True)
class Key:
    """A path segment: go into the field with this key of the merged data."""

    name: str


@dataclass(frozen=True, slots=True)
class Each:
    """A path segment: go into every item of a list (nested lists need one each)."""


@dataclass(frozen=True, slots=True)
class OnTypes:
    """A path segment: go on only with objects whose `__typename` is among these."""

    typenames: frozenset[str]


Segment = Key | Each | OnTypes


@dataclass(frozen=True, slots=True)
class RepresentationField:
    """One field of an entity representation.

    Attributes:
        name: key that the subgraph expects.
        source: key under which the merged data holds the value (differs when it was aliased).
        fields: fields of an object value; empty for leaves. A list value is walked item by item.
        on_types: the field belongs only to objects of these types; None for all.
    """

    name: str
    source: str
    fields: tuple[RepresentationField, ...] = ()
    on_types: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RepresentationShape:
    """How objects of some types become representations.

    Attributes:
        typenames: runtime types that this shape is for.
        send_typename: `__typename` to send; None sends the runtime type.
        fields: key fields and required fields, without `__typename`.
        required_keys: names among `fields` that form the key: when one is null or missing, the
            object is not sent. Required (`@requires`) fields may be null.
    """

    typenames: frozenset[str]
    send_typename: str | None
    fields: tuple[RepresentationField, ...]
    required_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class EntityInput:
    """One aliased `_entities` field of a fetch, and where its objects lie.

    Attributes:
        alias: response key of the `_entities` field in the document.
        variable: name of the variable that holds its representations.
        path: from the root of the merged data to the objects.
        shapes: tried in order; an object that fits none is not sent.
    """

    alias: str
    variable: str
    path: tuple[Segment, ...]
    shapes: tuple[RepresentationShape, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request to one subgraph.

    Attributes:
        subgraph: its name in the supergraph.
        kind: `query` or `mutation`.
        document: operation text.
        variables: names of client variables to pass on, when the client gave them.
        inputs: empty for a fetch of root fields, whose answer merges into the root; else one
            per aliased `_entities` field, whose items merge into the objects they came from.
        path: for a fetch of root fields, the objects that its answer merges into: those of a
            field that returns the query root; empty for the root itself.
        response_names: for error paths: response key in the subgraph's answer -> key the
            client chose, where the planner had to alias.
    """

    subgraph: str
    kind: str
    document: str
    variables: tuple[str, ...] = ()
    inputs: tuple[EntityInput, ...] = ()
    response_names: tuple[tuple[str, str], ...] = ()
    path: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """Nodes that run one after the other."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Nodes that run at the same time."""

    nodes: tuple[Node, ...]


Node = Fetch | Sequence | Parallel


@dataclass(frozen=True, slots=True)
class TypeShape:
    """The public type of an output position.

    Attributes:
        nullable: whether null may stand here.
        item: the type of the items when this is a list; None otherwise.
        name: named type when not a list; empty for a list.
    """

    nullable: bool
    item: TypeShape | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProjectedField:
    """One field of the answer.

    Attributes:
        response_key: key the client sees.
        source: key in the merged data; `__typename` fields need none and have `__typename` here.
        name: field name in the schema, for messages.
        type: public type.
        selection: how objects below are shaped; None for leaves.
    """

    response_key: str
    source: str
    name: str
    type: TypeShape
    selection: Projection | None = None


@dataclass(frozen=True, slots=True)
class Projection:
    """How objects at one place of the answer are shaped.

    Attributes:
        declared: named public type of the place (object, interface or union).
        fields_by_type: fields in response order for each possible public object type.
    """

    declared: str
    fields_by_type: dict[str, tuple[ProjectedField, ...]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is needed to answer one operation again and again.

    Attributes:
        kind: `query` or `mutation`.
        root: what to fetch; None when nothing is (only `__typename` or introspection).
        projection: shapes the answer from the merged data.
        introspection: the operation reduced to `__schema` and `__type`; None when neither
            was asked for. Its answer is merged into the root before projection.
    """

    kind: str
    root: Node | None
    projection: Projection
    introspection: DocumentNode | None = None
