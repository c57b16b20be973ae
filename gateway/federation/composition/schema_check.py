"""Checks that the merged schema, for all the pieces fit, is one GraphQL schema."""

from __future__ import annotations

import re

from graphql import GraphQLError, build_ast_schema, parse, validate_schema

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.merged import Supergraph
from gateway.federation.sdl_document import without_deprecations


def check_schema(sdl: str, supergraph: Supergraph, findings: Findings) -> None:
    """Notes what GraphQL itself does not allow, such as a field that breaks its interface."""
    try:
        document = without_deprecations(parse(sdl))
        faults = validate_schema(build_ast_schema(document, assume_valid_sdl=True))
    except GraphQLError as error:
        faults = [error]
    for fault in faults:
        at = _coordinate(fault.message, supergraph)
        type_name, _, field = at.partition(".")
        findings.conflict(
            "INVALID_GRAPHQL",
            f"The merged schema is not valid: {fault.message}",
            subgraphs=[
                one.name
                for one in supergraph.subgraphs
                if (declared := one.types.get(type_name)) is not None
                and (not field or field in declared.fields or field in declared.input_fields)
            ],
            at=at,
        )


def _coordinate(message: str, supergraph: Supergraph) -> str:
    """The last coordinate of a type or field that the message names."""
    found = [
        match[0] for match in re.finditer(r"(\w+)(\.\w+)?", message) if match[1] in supergraph.types
    ]
    with_field = [one for one in found if "." in one]
    return (with_field or found or [""])[-1]
