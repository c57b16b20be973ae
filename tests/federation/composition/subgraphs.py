"""Short ways to compose small subgraphs and to look at the result."""

from __future__ import annotations

import pytest
from graphql import parse, print_ast

from gateway.federation.composition import (
    Composition,
    CompositionFailed,
    Conflict,
    SubgraphSdl,
    compose,
)

FEDERATION_2 = """
extend schema @link(
  url: "https://specs.apollo.dev/federation/v2.7"
  import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@tag",
    "@inaccessible", "@interfaceObject", "@authenticated", "@requiresScopes", "@policy",
    "@composeDirective", "@extends"]
)
"""


def composed(*sdls: str, federation_1: bool = False) -> Composition:
    """The composition of subgraphs called a, b, c, …"""
    head = "" if federation_1 else FEDERATION_2
    return compose(
        [
            SubgraphSdl(name, f"http://{name}", head + sdl)
            for name, sdl in zip("abcdef", sdls, strict=False)
        ]
    )


def conflicts(*sdls: str) -> tuple[Conflict, ...]:
    """What keeps subgraphs called a, b, c, … from composing."""
    with pytest.raises(CompositionFailed) as failed:
        composed(*sdls)
    return failed.value.conflicts


def element(composition: Composition, coordinate: str) -> str:
    """`Type` or `Type.field` of the supergraph on one line, without descriptions and bodies."""
    type_name, _, member = coordinate.partition(".")
    for node in parse(composition.supergraph_sdl, no_location=True).definitions:
        if getattr(node, "name", None) is None or node.name.value != type_name:
            continue
        if not member:
            head = print_ast(node).split("{\n")[0]
            return " ".join(line for line in head.split("\n") if not line.startswith('"')).strip()
        for one in (*(getattr(node, "fields", None) or ()), *(getattr(node, "values", None) or ())):
            if one.name.value == member:
                return " ".join(
                    line.strip() for line in print_ast(one).split("\n") if not line.startswith('"')
                )
    raise AssertionError(f"The supergraph has no {coordinate}.")


def has(composition: Composition, coordinate: str) -> bool:
    """Whether the supergraph has the type or field."""
    try:
        element(composition, coordinate)
    except AssertionError:
        return False
    return True
