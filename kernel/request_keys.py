"""How mutations are known: one key for each caller, operation and request id."""

from __future__ import annotations

from typing import Protocol

from kernel.callers import Caller
from kernel.graphql import input_as_json
from kernel.refusals import InvalidInput
from kernel.requests import REQUEST_ID_MAX, RequestKey, hash_of


class Command(Protocol):
    """A mutation's input: a dataclass of plain values."""

    @property
    def request_id(self) -> str:
        """Chosen by the client."""
        ...


def request_key(caller: Caller, operation: str, command: Command) -> RequestKey:
    """The key that a repeat of this request has too.

    Args:
        operation: name of the mutation.

    Raises:
        InvalidInput: the request id is not 1 to 128 characters.
    """
    check_request_id(command.request_id)
    return RequestKey(
        caller=caller.key,
        operation=operation,
        request_id=command.request_id,
        body_hash=hash_of(input_as_json(command)),
    )


def check_request_id(request_id: str) -> None:
    """Refuses one that is too short or too long.

    Raises:
        InvalidInput: it is not 1 to 128 characters.
    """
    if problems := request_id_problems(request_id):
        raise InvalidInput(problems)


def request_id_problems(request_id: str) -> list[list[str]]:
    """What is wrong with it, as `InvalidInput` tells it; empty when nothing is."""
    if 1 <= len(request_id) <= REQUEST_ID_MAX:
        return []
    return [["requestId", f"must have 1 to {REQUEST_ID_MAX} characters"]]
