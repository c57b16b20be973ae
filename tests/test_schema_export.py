"""The exported schema is the one that is served."""

from __future__ import annotations

import json
from pathlib import Path

from graphql import build_schema, parse, validate

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
