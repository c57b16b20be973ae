"""How an outage in the middle of a checkout is told: a top-level error, never a refusal."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from graphql import GraphQLError

from kernel.database import DatabaseUnavailable, Overloaded

T = TypeVar("T")


class CheckoutUnavailable(GraphQLError):
    """Somebody needed did not answer; the same request may be sent again."""

    def __init__(self) -> None:
        super().__init__(
            "A part of the alliance does not answer; send the same request again.",
            extensions={"code": "SUBGRAPH_UNAVAILABLE"},
        )


class CheckoutOverloaded(GraphQLError):
    """Too much work waits; the same request may be sent again."""

    def __init__(self) -> None:
        super().__init__(
            "Too much work waits; send the same request again.",
            extensions={"code": "OVERLOADED"},
        )


async def answered(work: Awaitable[T]) -> T:
    """What `work` returns.

    Raises:
        CheckoutUnavailable: a database or a backend could not do its part.
        CheckoutOverloaded: one has too much to do.
    """
    try:
        return await work
    except Overloaded as error:
        raise CheckoutOverloaded from error
    except DatabaseUnavailable as error:
        raise CheckoutUnavailable from error
