from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, GraphQLSchema, build_schema
from strawberry.federation import Schema

from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from gateway.transports.in_process import InProcessTransport

SDL = """
scalar Long
scalar _Any
type Query {
  user(id: ID!): User
  _entities(representations: [_Any!]!): [User]!
  long(n: Long): Int
}
type User { id: ID!  name: String!  coded: String  broken: String  who: String }
"""


class CodedError(Exception):
    def __init__(self) -> None:
        super().__init__("only for admins")
        self.extensions = {"code": "FORBIDDEN", "need": "admin"}


class Resolvers:
    """Fields of the subgraph, as graphql-core finds them on a root value or an object."""

    def __init__(self, id: str) -> None:
        self.id = id

    async def name(self, info: Any) -> str | None:
        return None if self.id == "nameless" else f"name of {self.id}"

    def coded(self, info: Any) -> str:
        raise CodedError

    def broken(self, info: Any) -> str:
        raise ZeroDivisionError("secret")

    def who(self, info: Any) -> str:
        return str(info.context)


def take_apart(source: Any, info: Any, representations: list[dict[str, Any]]) -> list[Resolvers]:
    return [Resolvers(r.pop("key")["id"].pop()) for r in representations]


def parse_long(value: Any) -> int:
    if not isinstance(value, int):
        raise GraphQLError("A Long is an integer.")
    return value


def hosted_schema() -> GraphQLSchema:
    schema = build_schema(SDL)
    fields = schema.query_type.fields  # type: ignore[union-attr]
    fields["user"].resolve = lambda source, info, id: Resolvers(id)
    fields["_entities"].resolve = take_apart
    fields["long"].resolve = lambda source, info, n=None: 1
    for name in ("parse_value", "coerce_input_value"):  # The name depends on graphql-core.
        setattr(schema.type_map["Long"], name, parse_long)
    return schema


@dataclass
class Hosted:
    schema: GraphQLSchema
    context_factory: Callable[[CallContext], Any] = lambda context: context.caller


def transport(**options: Any) -> InProcessTransport:
    return InProcessTransport(Hosted(hosted_schema()), **options)


async def asked(
    document: str, variables: dict[str, Any] | None = None, **options: Any
) -> SubgraphReply:
    request = SubgraphRequest(document, "query", variables or {})
    return await transport(**options).execute(request, CallContext(caller="me", request_id="r-3"))


async def test_resolvers_that_wait_and_those_that_do_not_are_answered() -> None:
    reply = await asked("query($id: ID!) { user(id: $id) { id name who } }", {"id": "7"})

    assert reply.data == {"user": {"id": "7", "name": "name of 7", "who": "me"}}
    assert reply.errors == []


async def test_representations_stay_as_they_were_whatever_resolvers_do() -> None:
    document = "query($r: [_Any!]!) { _entities(representations: $r) { id } }"
    variables = {"r": [{"__typename": "User", "key": {"id": ["4"]}}]}

    reply = await asked(document, variables)

    assert reply.data == {"_entities": [{"id": "4"}]}
    assert variables == {"r": [{"__typename": "User", "key": {"id": ["4"]}}]}


async def test_an_error_with_a_code_keeps_its_message_and_path() -> None:
    reply = await asked('{ user(id: "1") { id coded } }')

    assert reply.data == {"user": {"id": "1", "coded": None}}
    assert reply.errors == [
        {
            "message": "only for admins",
            "path": ["user", "coded"],
            "extensions": {"code": "FORBIDDEN", "need": "admin"},
        }
    ]


async def test_a_bug_is_masked_and_logged_with_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reply = await asked('{ user(id: "1") { broken } }')

    assert reply.errors == [
        {
            "message": "Internal error.",
            "path": ["user", "broken"],
            "extensions": {"code": "INTERNAL"},
        }
    ]
    assert "r-3" in caplog.text
    assert "secret" in caplog.text


async def test_a_null_where_none_may_be_is_a_masked_bug() -> None:
    reply = await asked('{ user(id: "nameless") { name } }')

    assert reply.data == {"user": None}
    assert [error["extensions"]["code"] for error in reply.errors] == ["INTERNAL"]


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        ("query($n: Long) { long(n: $n) }", {"n": "x"}),
        ("query($id: ID!) { user(id: $id) { id } }", {}),
    ],
)
async def test_a_value_that_the_subgraph_refuses_is_the_clients_fault(
    document: str, variables: dict[str, Any]
) -> None:
    reply = await asked(document, variables)

    assert [error["extensions"]["code"] for error in reply.errors] == ["BAD_USER_INPUT"]


async def test_one_request_makes_one_context_and_the_next_another() -> None:
    made: list[object] = []

    def make(context: CallContext) -> object:
        made.append(context)
        return object()

    hosted = InProcessTransport(Hosted(hosted_schema(), make))
    request = SubgraphRequest('{ user(id: "1") { who } }', "query", {})
    first = CallContext()

    replies = [await hosted.execute(request, context) for context in (first, first, CallContext())]

    assert len(made) == 2
    assert replies[0].data == replies[1].data
    assert replies[0].data != replies[2].data


async def test_two_subgraphs_of_one_request_have_contexts_of_their_own() -> None:
    context = CallContext()
    schema = hosted_schema()
    request = SubgraphRequest('{ user(id: "1") { who } }', "query", {})

    answers = [
        await InProcessTransport(Hosted(schema, lambda context, n=name: n)).execute(
            request, context
        )
        for name in ("a", "b")
    ]

    assert [answer.data["user"]["who"] for answer in answers if answer.data] == ["a", "b"]


@pytest.mark.parametrize("document", ["{ absent }", "{ user", '{ user(id: "1") }'])
async def test_documents_of_strangers_are_validated_when_asked_for(document: str) -> None:
    reply = await asked(document, validate_documents=True)

    assert reply.data is None
    assert reply.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


@strawberry.federation.type(keys=["id"])
class Product:
    id: strawberry.ID
    price: int | None = strawberry.federation.field(external=True, default=None)

    @strawberry.federation.field(requires=["price"])
    async def shipping(self) -> int:
        return 2 * (self.price or 0)

    @classmethod
    def resolve_reference(cls, id: strawberry.ID, price: int | None = None) -> Product:
        return cls(id=id, price=price)


@strawberry.type
class Query:
    now: int = 1


async def test_entities_of_a_strawberry_schema_are_resolved_and_left_unchanged() -> None:
    schema = Schema(query=Query, types=[Product])
    hosted = InProcessTransport(Hosted(schema._schema))
    document = """query($r: [_Any!]!) {
      _e0: _entities(representations: $r) { ... on Product { shipping } } }"""
    variables = {"r": [{"__typename": "Product", "id": "1", "price": n} for n in (1, 2)]}

    reply = await hosted.execute(SubgraphRequest(document, "query", variables), CallContext())

    assert reply.data == {"_e0": [{"shipping": 2}, {"shipping": 4}]}
    assert variables["r"][0] == {"__typename": "Product", "id": "1", "price": 1}
