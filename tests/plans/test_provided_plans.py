from __future__ import annotations

from tests.plans.planning import printed, supergraph_of, text

REVIEWS = supergraph_of(
    """
    type Query @everywhere {
      review: Review @join__field(graph: A)
      thread: Review @join__field(graph: A, provides: "author { team { name } }")
    }
    type Review @join__type(graph: A, key: "id") {
      id: ID!
      author: User @join__field(graph: A)
      signed: User @join__field(graph: A, provides: "name")
    }
    type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A, external: true) @join__field(graph: B)
      email: String @join__field(graph: B)
      team: Team @join__field(graph: A, external: true) @join__field(graph: B)
    }
    type Team @join__type(graph: A) @join__type(graph: B) {
      name: String @join__field(graph: A, external: true) @join__field(graph: B)
    }
    """,
    subgraphs="A B",
)


def test_a_provided_field_is_taken_where_it_is_provided() -> None:
    assert printed(REVIEWS, "{ review { signed { name } } }") == text(
        """
        Fetch a
          {review{signed{name}}}
        """
    )


def test_an_external_field_is_fetched_from_its_owner_elsewhere() -> None:
    assert printed(REVIEWS, "{ review { author { name } } }") == text(
        """
        Sequence
          Fetch a
            {review{author{__typename id}}}
          Fetch b
            $_r0 at review.author: User {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on User{name}}}
        """
    )


def test_fields_may_be_provided_several_levels_down() -> None:
    assert printed(REVIEWS, "{ thread { author { team { name } } } }") == text(
        """
        Fetch a
          {thread{author{team{name}}}}
        """
    )


def test_what_is_not_provided_beside_a_provided_field_is_fetched() -> None:
    assert printed(REVIEWS, "{ review { signed { name email } } }") == text(
        """
        Sequence
          Fetch a
            {review{signed{__typename name id}}}
          Fetch b
            $_r0 at review.signed: User {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on User{email}}}
        """
    )


def test_fields_may_be_provided_on_one_member_of_a_union() -> None:
    supergraph = supergraph_of(
        """
        type Query @everywhere {
          media: [Media] @join__field(graph: A, provides: "... on Book { title }")
        }
        union Media
          @join__type(graph: A)
          @join__unionMember(graph: A, member: "Book")
          @join__unionMember(graph: A, member: "Film") = Book | Film
        type Book @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          title: String @join__field(graph: A, external: true) @join__field(graph: B)
        }
        type Film @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
          id: ID!
          title: String @join__field(graph: A, external: true) @join__field(graph: B)
        }
        """,
        subgraphs="A B",
    )

    operation = "{ media { ... on Book { title } ... on Film { title } } }"

    assert printed(supergraph, operation) == text(
        """
        Sequence
          Fetch a
            {media{__typename ...on Book{title} ...on Film{id}}}
          Fetch b
            $_r0 at media.@: Film {id}
            query($_r0:[_Any!]!){_e0:_entities(representations:$_r0){...on Film{title}}}
        """
    )
