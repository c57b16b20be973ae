"""Answers `__schema` and `__type` from the public schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
)

from gateway.federation.faults import Fault, FaultCode

Answer = tuple[dict[str, Any], list[Fault]]


def compile_introspection(
    document: DocumentNode, schema: GraphQLSchema
) -> Callable[[Mapping[str, Any]], Answer]:
    """A function from variables to the answer and its faults; computed once if it can be.

    The answer must not be changed: it is handed out again.
    """
    takes_variables = any(
        isinstance(definition, OperationDefinitionNode) and definition.variable_definitions
        for definition in document.definitions
    )
    kept: list[Answer] = []

    def answer(variables: Mapping[str, Any]) -> Answer:
        if kept:
            return kept[0]
        result = execute(schema, document, variable_values=dict(variables))
        assert isinstance(result, ExecutionResult)
        found = (result.data or {}, [_fault(error) for error in result.errors or ()])
        if not takes_variables:
            kept.append(found)
        return found

    return answer


def _fault(error: GraphQLError) -> Fault:
    path = tuple(error.path) if error.path else None
    return Fault(error.message, FaultCode.BAD_USER_INPUT, path)
