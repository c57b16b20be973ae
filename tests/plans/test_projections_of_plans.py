from __future__ import annotations

from gateway.federation.plan import ProjectedField, TypeShape
from tests.plans.planning import planned, supergraph_of

LIBRARY = supergraph_of(
    """
    type Query @everywhere { items(first: Int): [Item!]! @join__field(graph: A) }
    union Item
      @join__type(graph: A)
      @join__unionMember(graph: A, member: "Book")
      @join__unionMember(graph: A, member: "Film")
      @join__unionMember(graph: A, member: "Draft") = Book | Film | Draft
    type Book @join__type(graph: A) { title: String! pages: Int tags: [String] }
    type Film @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      length(unit: String): Int @join__field(graph: A) @join__field(graph: B, external: true)
      fee: Int @join__field(graph: B, requires: "length")
    }
    type Draft @join__type(graph: A) @inaccessible { title: String! }
    """,
    subgraphs="A B",
)


def fields_of(operation: str, type_name: str) -> dict[str, ProjectedField]:
    (items,) = planned(LIBRARY, operation).projection.fields_by_type["Query"]
    assert items.selection is not None
    return {field.response_key: field for field in items.selection.fields_by_type[type_name]}


def test_every_public_type_has_its_fields_in_the_order_asked() -> None:
    operation = "{ items { ... on Book { pages title } __typename ... on Film { id } } }"

    (items,) = planned(LIBRARY, operation).projection.fields_by_type["Query"]

    assert items.selection is not None
    assert items.selection.declared == "Item"
    assert {
        name: [field.response_key for field in fields]
        for name, fields in items.selection.fields_by_type.items()
    } == {"Book": ["pages", "title", "__typename"], "Film": ["__typename", "id"]}


def test_output_types_keep_their_wrappers() -> None:
    operation = "{ items { ... on Book { title tags } } }"
    (items,) = planned(LIBRARY, operation).projection.fields_by_type["Query"]

    assert items.type == TypeShape(nullable=False, item=TypeShape(nullable=False, name="Item"))
    fields = fields_of(operation, "Book")
    assert fields["title"].type == TypeShape(nullable=False, name="String")
    assert fields["tags"].type == TypeShape(
        nullable=True, item=TypeShape(nullable=True, name="String")
    )


def test_client_fields_keep_their_keys_when_required_fields_want_them_too() -> None:
    operation = '{ items { ... on Film { length(unit: "h") fee } } }'

    fields = fields_of(operation, "Film")

    assert fields["length"].source == "length"
    assert "length__1:length" in str(planned(LIBRARY, operation).root)


def test_an_alias_is_the_source_of_its_field() -> None:
    fields = fields_of("{ items { ... on Book { name: title } } }", "Book")

    assert (fields["name"].source, fields["name"].name) == ("name", "title")
