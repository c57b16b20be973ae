from __future__ import annotations

import pytest

from gateway.federation.merging import merge_object
from gateway.federation.paths import Paths, located_objects_at
from gateway.federation.plan import (
    Each,
    EntityInput,
    Key,
    OnTypes,
    RepresentationField,
    RepresentationShape,
    Segment,
)
from gateway.federation.representations import Gathered, Gatherer


def gatherer(*fields: RepresentationField, keys: set[str], **shape: object) -> Gatherer:
    path = (Key("users"), Each())
    made = RepresentationShape(
        typenames=frozenset(shape.get("typenames", {"User"})),  # type: ignore[call-overload]
        send_typename=shape.get("send_typename"),  # type: ignore[arg-type]
        fields=fields,
        required_keys=frozenset(keys),
    )
    return Gatherer(EntityInput("_e0", "r0", path, (made,)))


def gather(gatherer: Gatherer, data: dict[str, object]) -> Gathered:
    return gatherer.gather(objects_at(data, gatherer.path))


def objects_at(data: dict[str, object], path: tuple[Segment, ...]) -> list[dict[str, object]]:
    paths = Paths()
    return paths.values(paths.number(path), {0: [data]})


def leaf(name: str, source: str | None = None, on_types: set[str] | None = None) -> object:
    on = None if on_types is None else frozenset(on_types)
    return RepresentationField(name, source or name, on_types=on)


def user(id: object, **more: object) -> dict[str, object]:
    return {"__typename": "User", "id": id, **more}


def test_equal_objects_are_asked_for_once_and_all_get_the_answer() -> None:
    first, second, again = user("1"), user("2"), user("1")

    gathered = gather(gatherer(leaf("id"), keys={"id"}), {"users": [first, second, again]})

    assert gathered.representations == [
        {"__typename": "User", "id": "1"},
        {"__typename": "User", "id": "2"},
    ]
    assert gathered.targets[0][0] is first
    assert gathered.targets[0][1] is again
    assert gathered.targets[1] == [second]


@pytest.mark.parametrize("broken", [user(None), {"__typename": "User"}, {"id": "1"}, None, 7, []])
def test_objects_without_a_whole_key_or_type_are_not_asked_for(broken: object) -> None:
    gathered = gather(gatherer(leaf("id"), keys={"id"}), {"users": [broken, user("2")]})

    assert [r["id"] for r in gathered.representations] == ["2"]


def test_a_typename_that_is_no_string_is_not_asked_for() -> None:
    gathered = gather(gatherer(leaf("id"), keys={"id"}), {"users": [{"__typename": [], "id": 1}]})

    assert gathered.representations == []


def test_required_fields_may_be_null_and_keys_may_not() -> None:
    shape = gatherer(leaf("id"), leaf("price"), keys={"id"})

    gathered = gather(shape, {"users": [user("1", price=None), user(None, price=3)]})

    assert gathered.representations == [{"__typename": "User", "id": "1", "price": None}]


def test_a_representation_takes_aliased_values_and_the_typename_to_send() -> None:
    shape = gatherer(leaf("id", "_a0"), keys={"id"}, send_typename="Account")

    gathered = gather(shape, {"users": [{"__typename": "User", "_a0": "9", "id": "other"}]})

    assert gathered.representations == [{"__typename": "Account", "id": "9"}]


def test_nested_keys_are_picked_through_objects_and_lists() -> None:
    tags = RepresentationField("tags", "tags", (leaf("name"),))
    org = RepresentationField("org", "org", (leaf("id"), tags))
    value = {"id": "o", "secret": 1, "tags": [{"name": "a", "x": 1}, None, {"name": "b"}]}

    gathered = gather(gatherer(org, keys={"org"}), {"users": [user("1", org=value)]})

    expected = {"id": "o", "tags": [{"name": "a"}, None, {"name": "b"}]}
    assert gathered.representations == [{"__typename": "User", "org": expected}]


@pytest.mark.parametrize("org", [None, {"id": None}, {}, "text"])
def test_a_key_that_is_null_inside_is_not_asked_for(org: object) -> None:
    nested = RepresentationField("org", "org", (leaf("id"),))

    gathered = gather(gatherer(nested, keys={"org"}), {"users": [user("1", org=org)]})

    assert gathered.representations == []


def test_values_that_do_not_hash_are_still_sent_once() -> None:
    shape = gatherer(leaf("id"), leaf("raw"), keys={"id"})
    raws = [{"a": [1]}, {"a": [1]}, {"a": [True]}]

    gathered = gather(shape, {"users": [user("1", raw=raw) for raw in raws]})

    assert [r["raw"] for r in gathered.representations] == [{"a": [1]}, {"a": [True]}]


def test_fields_of_some_types_only_are_sent_for_those_types() -> None:
    shape = gatherer(
        leaf("id"), leaf("size", on_types={"Shirt"}), keys={"id"}, typenames={"Shirt", "Book"}
    )
    things = [
        {"__typename": "Shirt", "id": "1", "size": "L"},
        {"__typename": "Book", "id": "1", "size": "L"},
    ]

    gathered = gather(shape, {"users": things})

    assert gathered.representations == [
        {"__typename": "Shirt", "id": "1", "size": "L"},
        {"__typename": "Book", "id": "1"},
    ]


def test_the_next_shape_is_tried_when_the_key_of_the_first_is_null() -> None:
    shapes = tuple(
        RepresentationShape(frozenset({"User"}), None, (leaf(key),), frozenset({key}))  # type: ignore[arg-type]
        for key in ("id", "email")
    )
    gathered = gather(
        Gatherer(EntityInput("_e0", "r0", (Key("me"),), shapes)),
        {"me": {"__typename": "User", "id": None, "email": "a@b"}},
    )

    assert gathered.representations == [{"__typename": "User", "email": "a@b"}]


def test_nested_lists_and_types_are_walked_and_nulls_passed_over() -> None:
    cat, dog, other = {"__typename": "Cat"}, {"__typename": "Dog"}, {"__typename": "Cat"}
    data = {"rows": [[cat, None], None, [dog, other]]}
    path = (Key("rows"), Each(), Each(), OnTypes(frozenset({"Cat"})))

    assert objects_at(data, path) == [cat, other]
    assert located_objects_at(data, path) == [(cat, ("rows", 0, 0)), (other, ("rows", 2, 1))]


@pytest.mark.parametrize("data", [{}, {"rows": 3}, {"rows": [3]}, {"rows": {"x": 1}}])
def test_data_of_another_shape_holds_nothing_at_the_path(data: dict[str, object]) -> None:
    path = (Key("rows"), Each(), Key("x"))

    assert objects_at(data, path) == []
    assert located_objects_at(data, path) == []


def test_merging_goes_deep_and_lists_merge_by_index() -> None:
    target = {"a": {"x": 1}, "rows": [{"x": 1}, None, {"x": 3}]}

    merge_object(target, {"a": {"y": 2}, "rows": [{"y": 1}, {"y": 2}, None, {"y": 4}], "b": 5})

    assert target == {
        "a": {"x": 1, "y": 2},
        "rows": [{"x": 1, "y": 1}, {"y": 2}, {"x": 3}],
        "b": 5,
    }


def test_null_never_replaces_a_value_and_a_value_replaces_null() -> None:
    target = {"kept": 1, "filled": None, "deep": {"kept": 1}}

    merge_object(target, {"kept": None, "filled": 2, "new": None, "deep": {"kept": None}})

    assert target == {"kept": 1, "filled": 2, "new": None, "deep": {"kept": 1}}


def test_paths_with_a_common_start_are_found_together() -> None:
    one, two = {"b": {"n": 1}}, {"b": {"n": 2}}
    start = (Key("a"), Each())
    paths = Paths()
    numbers = [paths.number(path) for path in (start, (*start, Key("b")), (Key("x"),), start)]
    reached = {0: [{"a": [one, two]}]}

    found = [paths.values(number, reached) for number in numbers]

    assert found == [[one, two], [{"n": 1}, {"n": 2}], [], [one, two]]
    assert found[0] is found[3]


def test_a_list_that_several_objects_share_is_walked_once() -> None:
    shared = [{"n": 1}, {"n": 2}]

    found = objects_at({"a": [{"b": shared}] * 1000}, (Key("a"), Each(), Key("b"), Each()))

    assert found == shared
