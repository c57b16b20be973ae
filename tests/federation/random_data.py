"""Invented data for random subgraphs: the same for each of them and for the whole schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from graphql import (
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from tests.federation.random_graphs import INTERFACE, RATING, UNION, RandomField, RandomGraph

DIRECTIVES = """
scalar FieldSet
directive @key(fields: FieldSet!) repeatable on OBJECT | INTERFACE
directive @interfaceObject on OBJECT
directive @shareable on FIELD_DEFINITION
directive @external on FIELD_DEFINITION
directive @requires(fields: FieldSet!) on FIELD_DEFINITION
directive @provides(fields: FieldSet!) on FIELD_DEFINITION
directive @override(from: String!) on FIELD_DEFINITION
"""


@dataclass
class Entry:
    """An object: its type and id, what came with its reference, and what its parent provides."""

    type_name: str
    id: str
    representation: dict[str, Any] = field(default_factory=dict)
    provided: str = ""


class World:
    """Answers fields of a random graph, as the whole schema or as one subgraph would.

    Attributes:
        has_met_null_key: whether the last answer of the whole schema has a field of an entity
            with a null key.
    """

    def __init__(self, graph: RandomGraph) -> None:
        self._graph = graph
        self.has_met_null_key = False

    def whole(self, schema: GraphQLSchema, operation: str) -> Any:
        """What the whole schema answers, with nothing split."""
        self.has_met_null_key = False
        return self._executed(schema, operation, {}, subgraph="")

    def transport(self, subgraph: str) -> SubgraphOfWorld:
        """One subgraph, strict about what it may be asked."""
        return SubgraphOfWorld(self, self._graph, subgraph)

    def _executed(
        self, schema: GraphQLSchema, operation: str, variables: dict[str, Any], *, subgraph: str
    ) -> Any:
        document = parse(operation)
        assert validate(schema, document) == [], operation
        result = execute_sync(
            schema,
            document,
            variable_values=variables,
            field_resolver=lambda source, info, **arguments: self._resolved(
                source, info.field_name, arguments, subgraph
            ),
            type_resolver=lambda source, *_: source.type_name,
        )
        assert result.errors is None, (subgraph, operation, variables, result.errors)
        return result.data

    def _resolved(
        self, source: Entry | None, name: str, arguments: dict[str, Any], subgraph: str
    ) -> Any:
        if name == "_entities":
            return [self._referred(given, subgraph) for given in arguments["representations"]]
        at = source or Entry("Query", "")
        declared = self._graph.types[at.type_name].fields[name]
        if not subgraph and self._has_null_key(at):
            self.has_met_null_key = True
        if subgraph and subgraph not in declared.owners:
            assert name == at.provided, f"{subgraph} does not answer {at.type_name}.{name}"
        if declared.requires:
            return self._sum(at, declared.requires, subgraph)
        value = self._value(at, name, declared, arguments)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, Entry):
                if subgraph == RATING:
                    entry.type_name = INTERFACE  # It does not know what is behind.
                entry.provided = declared.provides.get(subgraph, "")
        return value

    def _referred(self, given: dict[str, Any], subgraph: str) -> Entry:
        name = given["__typename"]
        if name == INTERFACE and subgraph == self._graph.rated_by:
            assert given.keys() == {"__typename", "id"}, (subgraph, given)
            return Entry(self._behind(given["id"]), given["id"], given)
        made = self._graph.types[name]
        keys = [given.get(key) for key in made.keys[subgraph]]
        assert any(key is not None for key in keys), (subgraph, given)
        known = {other for other, one in made.fields.items() if subgraph in one.external_in}
        assert given.keys() <= {"__typename", *made.keys[subgraph], *known}, (subgraph, given)
        return Entry(name, given["id"] if "id" in given else given["sku"][1:], given)

    def _has_null_key(self, at: Entry) -> bool:
        return (
            self._graph.has_null_keys
            and "sku" in self._graph.types[at.type_name].fields
            and _drawn("sku", at.type_name, at.id) % 3 == 0
        )

    def _behind(self, id_: str) -> str:
        """The type of what the interface's object has this id for."""
        members = self._graph.titled_in[self._graph.rated_by]
        return members[int(id_) % len(members)]

    def _sum(self, at: Entry, required: str, subgraph: str) -> str:
        parts = []
        for text in required.replace("(x: 1)", "").split():
            if subgraph:
                value = at.representation[text]
            else:
                declared = self._graph.types[at.type_name].fields[text]
                arguments = {"x": 1} if declared.has_argument else {}
                value = self._value(at, text, declared, arguments)
            parts.append(f"{text}={value}")
        return " + ".join(parts)

    def _value(self, at: Entry, name: str, declared: RandomField, arguments: Any) -> Any:
        if name in ("id", "sku"):
            return at.id if name == "id" else None if self._has_null_key(at) else f"s{at.id}"
        if name == "stars":
            return f"stars of {at.id}"
        if declared.is_leaf:
            if declared.type == "String" and _drawn(at.type_name, at.id, name) % 7 == 0:
                return None
            return f"{at.type_name} {at.id} {name} {arguments.get('x', '')}"
        if declared.type.startswith("["):
            count = _drawn("count", at.type_name, at.id, name) % 4
            return [self._linked(at, name, declared, number) for number in range(count)]
        return self._linked(at, name, declared, 0)

    def _linked(self, at: Entry, name: str, declared: RandomField, number: int) -> Entry | None:
        drawn = _drawn(at.type_name, at.id, name, str(number))
        inner = declared.type.removesuffix("!").strip("[]")
        is_list = declared.type.startswith("[")
        if not (inner if is_list else declared.type).endswith("!") and drawn % 5 == 0:
            return None
        linked = declared.named_type
        if declared.owners == [RATING]:
            return Entry(self._behind(str(drawn // 7 % 4)), str(drawn // 7 % 4))
        if linked in (INTERFACE, UNION):
            members_by_subgraph = (
                self._graph.titled_in if linked == INTERFACE else self._graph.things_in
            )
            members = members_by_subgraph[declared.owners[0]]
            linked = members[drawn % len(members)]
        if linked in self._graph.values:
            return Entry(linked, f"{crc32(f'{at.type_name} {at.id} {name} {number}'.encode())}")
        return Entry(linked, str(drawn // 7 % 4))


class SubgraphOfWorld:
    """The transport of one random subgraph; counts its requests."""

    def __init__(self, world: World, graph: RandomGraph, subgraph: str) -> None:
        self.requests = 0
        self._world = world
        self._subgraph = subgraph
        entities = [name for name in graph.entities if subgraph in graph.types[name].keys]
        if subgraph == RATING:
            entities.append(INTERFACE)
        sdl = graph.sdl(subgraph)
        if entities:
            sdl += f"\nscalar _Any\nunion _Entity = {' | '.join(entities)}"
            query = "extend type Query" if "type Query " in sdl else "type Query"
            sdl += f"\n{query} {{ _entities(representations: [_Any!]!): [_Entity]! }}"
        self._schema = build_schema(DIRECTIVES + sdl)

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        self.requests += 1
        variables = dict(request.variables)
        data = self._world._executed(
            self._schema, request.document, variables, subgraph=self._subgraph
        )
        return SubgraphReply(data)


def _drawn(*parts: str) -> int:
    return crc32(" ".join(parts).encode())
