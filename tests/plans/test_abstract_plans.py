from __future__ import annotations

import pytest

from gateway.federation.faults import RequestRefused
from tests.plans.planning import planned, printed, supergraph_of, text

PETS = """
    type Query @everywhere {
      pets: [Pet] @join__field(graph: A)
      found: Found @join__field(graph: A)
    }
    interface Pet @join__type(graph: A) @join__type(graph: B) {
      id: ID!
      name: String
      owner: Person @join__field(graph: A)
    }
    type Cat implements Pet
      @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Pet")
      @join__implements(graph: B, interface: "Pet")
    {
      id: ID!
      name: String @join__field(graph: A)
      lives: Int @join__field(graph: B)
      owner: Person @join__field(graph: A)
    }
    type Dog implements Pet
      @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Pet")
      @join__implements(graph: B, interface: "Pet")
    {
      id: ID!
      name: String DOG_NAME
      owner: Person @join__field(graph: A)
    }
    type Stone @join__type(graph: A) { weight: Int }
    type Person @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      email: String @join__field(graph: B)
    }
    union Found
      @join__type(graph: A)
      @join__unionMember(graph: A, member: "Cat")
      @join__unionMember(graph: A, member: "Dog")
      @join__unionMember(graph: A, member: "Stone") = Cat | Dog | Stone
"""
ZOO = supergraph_of(PETS.replace("DOG_NAME", "@join__field(graph: A)"), subgraphs="A B")
MOVED_NAMES = supergraph_of(
    PETS.replace("DOG_NAME", '@join__field(graph: B, override: "a")'), subgraphs="A B"
)


def test_fields_of_an_interface_are_selected_on_it_when_all_its_types_have_them() -> None:
    assert printed(ZOO, "{ pets { name id } }") == text(
        """
        Fetch a
          {pets{__typename name id}}
        """
    )


def test_an_interface_is_expanded_when_one_of_its_types_keeps_a_field_elsewhere() -> None:
    assert printed(MOVED_NAMES, "{ pets { name } }") == text(
        """
        Sequence
          Fetch a
            {pets{__typename ...on Cat{name} ...on Dog{id}}}
          Fetch b
            $_r0 at pets.@: Dog {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Dog{name}}}
        """
    )


def test_members_of_a_union_that_share_an_interface_are_selected_by_it() -> None:
    operation = "{ found { ... on Pet { id name } ... on Cat { lives } ... on Stone { weight } } }"

    assert printed(ZOO, operation) == text(
        """
        Sequence
          Fetch a
            {found{__typename ...on Pet{id name} ...on Stone{weight}}}
          Fetch b
            $_r0 at found: Cat {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Cat{lives}}}
        """
    )


def test_a_path_leads_only_through_the_types_that_move_on() -> None:
    operation = "{ pets { owner { id } ... on Dog { owner { email } } } }"

    assert printed(ZOO, operation) == text(
        """
        Sequence
          Fetch a
            {pets{__typename ...on Cat{owner{id}} ...on Dog{owner{__typename id}}}}
          Fetch b
            $_r0 at pets.@<Dog>.owner: Person {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Person{email}}}
        """
    )


def test_one_key_with_two_meanings_on_sibling_types_is_renamed_for_one() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { found: [Found] }
        union Found
          @join__type(graph: A)
          @join__unionMember(graph: A, member: "Cat")
          @join__unionMember(graph: A, member: "Dog") = Cat | Dog
        type Cat @join__type(graph: A) { age: Int! tag: Tag }
        type Dog @join__type(graph: A) { age: Int tag: Tag! }
        type Tag @join__type(graph: A) { no: Int }
        """,
        subgraphs="A",
    )

    # Clients may not write this down themselves for leaves, so the types come one by one.
    operation = "{ found { ... on Cat { a: age tag { no } } ... on Dog { b: age } } }"
    assert printed(supergraph, operation) == text(
        """
        Fetch a
          {found{__typename ...on Cat{a:age tag{no}} ...on Dog{b:age}}}
        """
    )


def test_key_fields_whose_types_differ_between_siblings_are_renamed() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { found: [Found] @join__field(graph: A) }
        union Found
          @join__type(graph: A)
          @join__unionMember(graph: A, member: "Cat")
          @join__unionMember(graph: A, member: "Dog") = Cat | Dog
        type Cat @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          name: String @join__field(graph: B)
        }
        type Dog @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID
          name: String @join__field(graph: B)
        }
        """,
        subgraphs="A B",
    )

    assert printed(supergraph, "{ found { ... on Cat { name } ... on Dog { name } } }") == text(
        """
        Sequence
          Fetch a
            {found{__typename ...on Cat{id} ...on Dog{id__1:id}}}
            renamed: id__1 is id
          Fetch b
            $_r0 at found.@: Cat {id} | Dog {id=id__1}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){\
...on Cat{name} ...on Dog{name}}}
        """
    )


SEARCH = supergraph_of(
    """
    type Query @everywhere { search: Found }
    union Found
      @join__type(graph: A) @join__type(graph: B)
      @join__unionMember(graph: A, member: "Cat")
      @join__unionMember(graph: B, member: "Cat")
      @join__unionMember(graph: B, member: "Dog") = Cat | Dog
    type Cat @join__type(graph: A) @join__type(graph: B) {
      name: String
      lives: Int @join__field(graph: A)
    }
    type Dog @join__type(graph: B) { name: String }
    """,
    subgraphs="A B",
)


def test_members_that_a_subgraph_does_not_know_are_left_out_of_its_document() -> None:
    operation = "{ search { ... on Cat { name lives } ... on Dog { name } } }"

    assert printed(SEARCH, operation) == text(
        """
        Fetch a
          {search{__typename ...on Cat{name lives}}}
        """
    )


def test_one_subgraph_answers_an_abstract_field_for_all_its_types_or_not_at_all() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { node: Node }
        interface Node @join__type(graph: A) @join__type(graph: B) { id: ID! }
        type Cat implements Node
          @join__type(graph: A) @join__type(graph: B)
          @join__implements(graph: A, interface: "Node")
          @join__implements(graph: B, interface: "Node")
          { id: ID! @join__field(graph: A) }
        type Dog implements Node
          @join__type(graph: A) @join__type(graph: B)
          @join__implements(graph: A, interface: "Node")
          @join__implements(graph: B, interface: "Node")
          { id: ID! @join__field(graph: B) }
        """,
        subgraphs="A B",
    )

    with pytest.raises(RequestRefused):
        planned(supergraph, "{ node { id } }")
    assert printed(supergraph, "{ node { ... on Dog { id } } }") == text(
        """
        Fetch b
          {node{__typename ...on Dog{id}}}
        """
    )


def test_interfaces_nested_in_interfaces_do_not_multiply() -> None:
    types = "".join(
        f"""
        type T{number} implements Node
          @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
          @join__implements(graph: A, interface: "Node")
        {{
          id: ID!
          below: [Node] @join__field(graph: A)
          size: Int @join__field(graph: {"B" if number == 1 else "A"})
        }}
        """
        for number in range(20)
    )
    supergraph = supergraph_of(
        "type Query @everywhere { node: Node @join__field(graph: A) }"
        "interface Node @join__type(graph: A) { id: ID! below: [Node] size: Int }" + types,
        subgraphs="A B",
    )
    operation = "{ node { below { below { below { below { size } } } } } }"

    # Twenty types on each of five levels would make 20 ** 5 fields.
    assert len(printed(supergraph, operation)) < 2_000


def test_the_type_is_selected_where_siblings_share_a_key_and_only_one_leads_on() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere { found: [Found] @join__field(graph: A) }
        union Found
          @join__type(graph: A)
          @join__unionMember(graph: A, member: "Cat")
          @join__unionMember(graph: A, member: "Dog") = Cat | Dog
        type Cat @join__type(graph: A) { toy: Ball }
        type Dog @join__type(graph: A) { toy: Bone }
        type Ball @join__type(graph: A) { maker: Maker }
        type Bone @join__type(graph: A) { size: Int }
        type Maker @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          country: String @join__field(graph: B)
        }
        """,
        subgraphs="A B",
    )
    operation = """
        { found { ... on Cat { toy { maker { country } } } ... on Dog { toy { size } } } }
    """

    assert printed(supergraph, operation) == text(
        """
        Sequence
          Fetch a
            {found{__typename ...on Cat{toy{__typename maker{__typename id}}} \
...on Dog{toy{__typename size}}}}
          Fetch b
            $_r0 at found.@<Cat>.toy<Ball>.maker: Maker {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Maker{country}}}
        """
    )
