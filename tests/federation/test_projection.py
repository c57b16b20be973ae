from __future__ import annotations

import json
from typing import Any

import pytest
from graphql import build_schema, parse

from gateway.federation.faults import Fault
from gateway.federation.introspection import compile_introspection
from gateway.federation.plan import ProjectedField, Projection, TypeShape
from gateway.federation.projection import compile_projection

SCHEMA = build_schema(
    """
    scalar Json
    enum Size { SMALL LARGE }
    union Thing = User | Shop
    type User { id: ID!  name: String!  size: Size  friends: [User!]  best: User! }
    type Shop { id: ID!  open: Boolean  rows: [[Int!]!] }
    type Query { me: User  must: User!  thing: Thing  json: Json  n: Int  f: Float }
    """
)


def shape(text: str) -> TypeShape:
    """`[User!]!` as a shape."""
    if text.endswith("!"):
        inner = shape(text[:-1])
        return TypeShape(False, inner.item, inner.name)
    if text.startswith("["):
        return TypeShape(True, shape(text[1:-1]))
    return TypeShape(True, None, text)


def column(key: str, type: str, below: Projection | None = None, **more: str) -> ProjectedField:
    return ProjectedField(key, more.get("source", key), more.get("name", key), shape(type), below)


TYPENAME = column("__typename", "String!")


def of_user(*fields: ProjectedField) -> Projection:
    return Projection("User", {"User": fields})


def projected(
    *fields: ProjectedField, data: dict[str, Any], faults: list[Fault] | None = None
) -> tuple[Any, list[tuple[Any, Any]]]:
    project = compile_projection(Projection("Query", {"Query": fields}), SCHEMA)
    answer, found = project(data, faults or [])
    return answer, [(str(fault.code), fault.path) for fault in found]


def test_fields_come_in_the_clients_order_under_its_names_and_nothing_else() -> None:
    user = of_user(
        column("z", "String!", source="name"),
        TYPENAME,
        column("id", "ID!"),
        column("kind", "String!", name="__typename", source="__typename"),
    )

    answer, found = projected(
        column("me", "User", user), data={"me": {"id": 1, "name": "N", "x": 1}}
    )

    expected = '{"me": {"z": "N", "__typename": "User", "id": 1, "kind": "User"}}'
    assert json.dumps(answer) == expected
    assert found == []


def test_a_field_that_was_never_fetched_is_null() -> None:
    assert projected(column("me", "User", of_user(column("id", "ID!"))), data={}) == (
        {"me": None},
        [],
    )


def test_a_null_rises_to_the_nearest_place_that_may_be_null_with_one_fault() -> None:
    best = of_user(column("best", "User!", of_user(column("name", "String!"))))
    me = column("me", "User", of_user(column("best", "User!", best)))

    answer, found = projected(me, data={"me": {"best": {"best": {"name": None}}}})

    assert answer == {"me": None}
    assert found == [("INVALID_VALUE", ("me", "best", "best", "name"))]


def test_a_null_may_rise_to_the_root() -> None:
    answer, found = projected(
        column("n", "Int"), column("must", "User!", of_user(column("id", "ID!"))), data={"n": 1}
    )

    assert answer is None
    assert found == [("INVALID_VALUE", ("must",))]


@pytest.mark.parametrize("path", [("me",), ("me", "name"), ("me", "name", 3), ()])
def test_a_null_that_a_fault_explains_gets_no_second_one(path: tuple[Any, ...]) -> None:
    me = column("me", "User", of_user(column("name", "String!")))

    answer, found = projected(
        me, data={"me": {"id": 1}}, faults=[Fault("down", "SUBGRAPH_UNAVAILABLE", path)]
    )

    assert answer == {"me": None}
    assert found == []


def test_a_fault_elsewhere_explains_nothing() -> None:
    me = column("me", "User", of_user(column("name", "String!")))
    faults = [Fault("a", "X", ("other",)), Fault("b", "X"), Fault("c", "X", ("me", "id"))]

    assert projected(me, data={"me": {"id": 1}}, faults=faults)[1] == [
        ("INVALID_VALUE", ("me", "name"))
    ]


def test_a_null_item_costs_the_list_when_items_must_not_be_null() -> None:
    friends = column("friends", "[User!]", of_user(column("name", "String!")))
    me = column("me", "User", of_user(friends))

    answer, found = projected(me, data={"me": {"friends": [{"name": "a"}, {"name": None}]}})

    assert answer == {"me": {"friends": None}}
    assert found == [("INVALID_VALUE", ("me", "friends", 1, "name"))]


def test_nested_lists_keep_their_shape() -> None:
    thing = Projection("Thing", {"Shop": (column("rows", "[[Int!]!]"),), "User": ()})
    rows = [[1, 2], [], [3]]

    answer, found = projected(
        column("thing", "Thing", thing), data={"thing": {"__typename": "Shop", "rows": rows}}
    )

    assert answer == {"thing": {"rows": rows}}
    assert found == []


@pytest.mark.parametrize("value", [3, "text", {"a": 1}, True])
def test_what_should_be_a_list_and_is_not_is_null_with_a_fault(value: Any) -> None:
    friends = column("friends", "[User!]", of_user(column("name", "String!")))

    answer, found = projected(
        column("me", "User", of_user(friends)), data={"me": {"friends": value}}
    )

    assert answer == {"me": {"friends": None}}
    assert found == [("SUBGRAPH_MALFORMED_REPLY", ("me", "friends"))]


@pytest.mark.parametrize("value", [3, "text", [], True])
def test_what_should_be_an_object_and_is_not_is_null_with_a_fault(value: Any) -> None:
    answer, found = projected(column("me", "User", of_user(column("id", "ID"))), data={"me": value})

    assert answer == {"me": None}
    assert found == [("SUBGRAPH_MALFORMED_REPLY", ("me",))]


@pytest.mark.parametrize("value", ["HUGE", 3, [], {}])
def test_an_enum_value_that_is_not_public_is_null_with_a_fault(value: Any) -> None:
    answer, found = projected(
        column("me", "User", of_user(column("size", "Size"))), data={"me": {"size": value}}
    )

    assert answer == {"me": {"size": None}}
    assert found == [("INVALID_VALUE", ("me", "size"))]


@pytest.mark.parametrize(
    ("type", "value"),
    [("Int", "1"), ("Int", True), ("Int", {}), ("String", 1), ("Boolean", 1), ("ID", []),
     ("Float", "1")],
)  # fmt: skip
def test_a_built_in_scalar_of_another_type_is_null_with_a_fault(type: str, value: Any) -> None:
    assert projected(column("n", type), data={"n": value}) == (
        {"n": None},
        [("INVALID_VALUE", ("n",))],
    )


@pytest.mark.parametrize(
    ("type", "value"),
    [("Int", 1), ("Float", 1), ("Float", 1.5), ("ID", 1), ("ID", "a"), ("Json", {"a": [1]}),
     ("Json", [None]), ("Size", "SMALL"), ("Boolean", False), ("String", "")],
)  # fmt: skip
def test_leaves_are_passed_on_as_they_are(type: str, value: Any) -> None:
    assert projected(column("n", type), data={"n": value}) == ({"n": value}, [])


def test_objects_behind_a_union_are_shaped_by_their_own_type() -> None:
    thing = Projection(
        "Thing",
        {"User": (TYPENAME, column("name", "String!")), "Shop": (column("open", "Boolean"),)},
    )
    things = column("things", "[Thing]", thing)

    answer, found = projected(
        things,
        data={
            "things": [
                {"__typename": "User", "name": "N", "open": 1},
                {"__typename": "Shop", "name": "N", "open": True},
                None,
            ]
        },
    )

    assert answer == {"things": [{"__typename": "User", "name": "N"}, {"open": True}, None]}
    assert found == []


@pytest.mark.parametrize("typename", ["Secret", None, 3, ["User"]])
def test_an_object_of_a_type_that_is_not_public_is_null_with_a_fault(typename: Any) -> None:
    thing = Projection("Thing", {"User": (TYPENAME,), "Shop": (TYPENAME,)})

    answer, found = projected(
        column("thing", "Thing", thing), data={"thing": {"__typename": typename}}
    )

    assert answer == {"thing": None}
    assert found == [("INVALID_VALUE", ("thing",))]


def test_a_broken_object_that_several_places_share_has_a_fault_in_each() -> None:
    shared = {"size": "HUGE"}
    friends = column("friends", "[User!]", of_user(column("size", "Size")))

    answer, found = projected(
        column("me", "User", of_user(friends)), data={"me": {"friends": [shared, shared]}}
    )

    assert answer == {"me": {"friends": [{"size": None}, {"size": None}]}}
    assert [path for _, path in found] == [
        ("me", "friends", 0, "size"),
        ("me", "friends", 1, "size"),
    ]


def test_one_object_in_two_places_is_shaped_as_each_place_asks() -> None:
    shared = {"id": "1", "name": "N"}

    answer, _ = projected(
        column("me", "User", of_user(column("id", "ID!"))),
        column("must", "User!", of_user(column("name", "String!"))),
        data={"me": shared, "must": shared},
    )

    assert answer == {"me": {"id": "1"}, "must": {"name": "N"}}


def test_introspection_is_answered_from_the_public_schema() -> None:
    answer = compile_introspection(parse('{ a: __type(name: "Shop") { fields { name } } }'), SCHEMA)

    data, faults = answer({})

    assert data == {"a": {"fields": [{"name": "id"}, {"name": "open"}, {"name": "rows"}]}}
    assert faults == []
    assert answer({})[0] is data


def test_introspection_with_variables_is_answered_anew() -> None:
    answer = compile_introspection(
        parse("query($t: String!) { __type(name: $t) { name } }"), SCHEMA
    )

    assert answer({"t": "Shop"})[0] == {"__type": {"name": "Shop"}}
    assert answer({"t": "None"})[0] == {"__type": None}
