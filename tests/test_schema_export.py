"""The exported schema is the one that is served."""

from __future__ import annotations

import json
import re
from pathlib import Path

from graphql import GraphQLEnumType, GraphQLObjectType, build_schema, parse, validate

from gateway.assembly.schemas import public_sdl


def test_schema_graphql_is_the_schema_that_clients_see() -> None:
    exported = Path("schema.graphql").read_text(encoding="utf-8")

    assert exported == public_sdl(), "run `alliance schema > schema.graphql`"


def test_every_example_of_the_explorer_is_valid() -> None:
    schema = build_schema(Path("schema.graphql").read_text(encoding="utf-8"))
    groups = json.loads(Path("gateway/explorer/operations.json").read_text(encoding="utf-8"))

    for group in groups:
        for example in group["operations"]:
            assert validate(schema, parse(example["query"])) == [], example["name"]


def test_every_value_of_an_enum_is_described() -> None:
    """By the enum's own description, which names it; codes of currencies speak for themselves."""
    schema = build_schema(Path("schema.graphql").read_text(encoding="utf-8"), assume_valid=True)
    enums = [
        each
        for each in schema.type_map.values()
        if isinstance(each, GraphQLEnumType) and not each.name.startswith("__")
    ]

    undescribed = [
        f"{enum.name}.{name}"
        for enum in enums
        if enum.name != "CurrencyCode"
        for name in enum.values
        if not re.search(rf"\b{name}\b", enum.description or "")
    ]

    assert undescribed == []
    assert len(enums) > 30


def test_every_list_says_how_much_of_it_may_be_asked_for() -> None:
    schema = build_schema(Path("schema.graphql").read_text(encoding="utf-8"), assume_valid=True)
    lists = [
        (f"{each.name}.{name}", field.args)
        for each in schema.type_map.values()
        if isinstance(each, GraphQLObjectType)
        for name, field in each.fields.items()
        if "first" in field.args
    ]

    silent = [
        name
        for name, args in lists
        if "1 to 100" not in (args["first"].description or "") or not args["after"].description
    ]

    assert silent == []
    assert len(lists) > 20
