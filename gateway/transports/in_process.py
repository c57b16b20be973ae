"""Runs a subgraph's schema in this process."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    execute,
    parse,
    validate,
)

from gateway.federation.faults import FaultCode
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest

_log = logging.getLogger(__name__)

_DOCUMENTS_MAX: Final = 5_000

# Numbers transports, since the id of one that is gone may come again.
_numbers = itertools.count()


class HostedSubgraph(Protocol):
    """A subgraph that lives in this process."""

    @property
    def schema(self) -> GraphQLSchema:
        """Its executable schema, `_entities` included."""
        ...

    @property
    def context_factory(self) -> Callable[[CallContext], Any]:
        """Makes what resolvers find in `info.context`; called once per client request."""
        ...


class InProcessTransport:
    """Reaches a hosted subgraph.

    The steps of one plan share one context value, and so its data loaders.

    Args:
        subgraph: schema, and maker of context values.
        validate_documents: whether documents are validated; a plan's are valid by construction.
    """

    __slots__ = (
        "_context_factory",
        "_context_key",
        "_documents",
        "_schema",
        "_validate_documents",
    )

    def __init__(self, subgraph: HostedSubgraph, *, validate_documents: bool = False) -> None:
        self._schema = subgraph.schema
        self._context_factory = subgraph.context_factory
        self._context_key = f"in_process:{next(_numbers)}"
        self._validate_documents = validate_documents
        self._documents: dict[str, tuple[DocumentNode, bool, list[GraphQLError]]] = {}

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply; errors without a code of their own are masked and logged."""
        document, has_entities, refusals = self._document(request.document)
        if refusals:
            return SubgraphReply(None, [_unfit(error) for error in refusals])
        scratch = context.scratch
        own_context = scratch.get(self._context_key)
        if own_context is None:
            own_context = scratch[self._context_key] = self._context_factory(context)
        variables: dict[str, Any] = dict(request.variables)
        if has_entities:
            # Reference resolvers may change the representations that they are given.
            variables = {name: _copied(value) for name, value in variables.items()}
        result = execute(
            self._schema, document, context_value=own_context, variable_values=variables
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        if not result.errors:
            return SubgraphReply(result.data)
        return SubgraphReply(
            result.data, [_as_json(error, context.request_id) for error in result.errors]
        )

    def _document(self, text: str) -> tuple[DocumentNode, bool, list[GraphQLError]]:
        known = self._documents.get(text)
        if known is None:
            try:
                document = parse(text, no_location=True)
                refusals = validate(self._schema, document) if self._validate_documents else []
            except GraphQLError as error:
                document, refusals = DocumentNode(definitions=()), [error]
            if len(self._documents) >= _DOCUMENTS_MAX:
                self._documents.clear()  # Plans come and go; what is in use is soon back.
            known = self._documents[text] = (document, "_entities" in text, refusals)
        return known


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def _unfit(error: GraphQLError) -> dict[str, Any]:
    code = FaultCode.GRAPHQL_VALIDATION_FAILED
    return {"message": error.message, "extensions": {"code": str(code)}}


def _as_json(error: GraphQLError, request_id: str) -> dict[str, Any]:
    original = error.original_error
    extensions = getattr(original, "extensions", None) or error.extensions or {}
    message = error.message
    if not isinstance(extensions, dict) or not isinstance(extensions.get("code"), str):
        extensions = {"code": str(FaultCode.INTERNAL)}
        if _is_about_input(error):
            extensions = {"code": str(FaultCode.BAD_USER_INPUT)}
        else:
            message = "Internal error."
            _log.error("request %s: a resolver failed", request_id, exc_info=original or error)
    entry: dict[str, Any] = {"message": message, "extensions": dict(extensions)}
    if error.path is not None:
        entry["path"] = list(error.path)
    return entry


def _is_about_input(error: GraphQLError) -> bool:
    """Whether a value that the client sent was refused, rather than a field failing to resolve."""
    return any(not isinstance(node, FieldNode) for node in error.nodes or ())
