"""The exported schema is the one that is served."""

from __future__ import annotations

from pathlib import Path

from gateway.schemas import public_sdl


def test_schema_graphql_is_the_schema_that_clients_see() -> None:
    exported = Path("schema.graphql").read_text(encoding="utf-8")

    assert exported == public_sdl(), "run `alliance schema > schema.graphql`"
