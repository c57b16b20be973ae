"""The closed list of error codes that the engine puts in `extensions.code`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

PathKey = str | int


class FaultCode(StrEnum):
    """Why an operation, or a part of it, has no answer; never a business refusal."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_NOT_FOUND = "OPERATION_NOT_FOUND"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNPLANNABLE = "UNPLANNABLE"
    SUBGRAPH_TIMEOUT = "SUBGRAPH_TIMEOUT"
    SUBGRAPH_UNAVAILABLE = "SUBGRAPH_UNAVAILABLE"
    SUBGRAPH_MALFORMED_REPLY = "SUBGRAPH_MALFORMED_REPLY"
    SUBGRAPH_ERROR = "SUBGRAPH_ERROR"
    INVALID_VALUE = "INVALID_VALUE"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of `errors`.

    Attributes:
        message: one sentence for people; holds no secret and no stack trace.
        code: `extensions.code`; a subgraph's own code is passed on as it came.
        path: response path, or None when the fault is not tied to a field.
        locations: 1-based (line, column) pairs in the client's document.
        extensions: further entries beside `code`.
    """

    message: str
    code: str
    path: tuple[PathKey, ...] | None = None
    locations: tuple[tuple[int, int], ...] = ()
    extensions: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The fault as the GraphQL specification writes errors."""
        error: dict[str, object] = {"message": self.message}
        if self.locations:
            error["locations"] = [{"line": line, "column": col} for line, col in self.locations]
        if self.path is not None:
            error["path"] = list(self.path)
        error["extensions"] = {"code": str(self.code), **self.extensions}
        return error


class RequestRefused(Exception):
    """The operation was not run at all: it does not parse, validate, or can not be planned."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)
