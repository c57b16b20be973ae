"""Pages of a list: Relay connections over keyset cursors."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import orjson
import strawberry

from kernel.graphql import BadUserInput

PAGE_SIZE_MAX = 100
CURSOR_MAX = 1_000
NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")
First = Annotated[
    int, strawberry.argument(description=f"How many items at most: 1 to {PAGE_SIZE_MAX}.")
]
"""The argument `first` of a list."""
After = Annotated[
    str | None,
    strawberry.argument(
        description="A cursor of this list, behind which to go on; without it, from the beginning."
    ),
]
"""The argument `after` of a list."""


@strawberry.federation.type(shareable=True, description="Where a page of a connection lies.")
class PageInfo:
    """Where a page lies."""

    has_next_page: bool = strawberry.field(description="Whether more follow `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether any precede `startCursor`.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first edge; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last edge; null on an empty page."
    )


@strawberry.type(description="An item and its cursor.")
class Edge(Generic[NodeT]):
    """An item and its cursor."""

    cursor: str = strawberry.field(description="Pass as `after` to continue behind this item.")
    node: NodeT = strawberry.field(description="The item.")


@strawberry.type(description="A page of items.")
class Connection(Generic[NodeT]):
    """A page of items; `Connection[Order]` is `OrderConnection` in GraphQL."""

    edges: list[Edge[NodeT]] = strawberry.field(description="Items with their cursors.")
    nodes: list[NodeT] = strawberry.field(description="The items alone.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")


@dataclass(frozen=True, slots=True)
class PageArgs:
    """Which page was asked for.

    Attributes:
        first: items wanted, 1 to 100.
        after: key values of the last item seen; None for the first page.
    """

    first: int
    after: tuple[Any, ...] | None

    @property
    def limit(self) -> int:
        """Rows to read: one more than wanted tells whether more follow."""
        return self.first + 1


def page_args(first: int, after: str | None, *, key_length: int) -> PageArgs:
    """The page that `first` and `after` ask for.

    Args:
        key_length: how many values a cursor of this list holds.

    Raises:
        BadUserInput: `first` is not 1 to 100, or `after` is no cursor of this list.
    """
    if not 1 <= first <= PAGE_SIZE_MAX:
        raise BadUserInput(f"first must be 1 to {PAGE_SIZE_MAX}.")
    return PageArgs(first, None if after is None else decode_cursor(after, key_length=key_length))


def encode_cursor(key: Sequence[Any]) -> str:
    """Opaque text that holds the key values of an item: whole numbers, text or null."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def decode_cursor(cursor: str, *, key_length: int) -> tuple[Any, ...]:
    """The key values that `encode_cursor` wrote.

    Raises:
        BadUserInput: the text is no cursor of this list.
    """
    try:
        if len(cursor) > CURSOR_MAX:
            raise ValueError
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise BadUserInput("after is no cursor of this list.") from error
    if (
        not isinstance(values, list)
        or len(values) != key_length
        or not all(_is_key_value(value) for value in values)
    ):
        raise BadUserInput("after is no cursor of this list.")
    return tuple(values)


def _is_key_value(value: object) -> bool:
    """Whether a database can compare it: text, null, or a whole number of 64 bits."""
    return (
        value is None or isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)
    )


def connection_of(
    rows: Sequence[RowT],
    page: PageArgs,
    *,
    key: Callable[[RowT], Sequence[Any]],
    node: Callable[[RowT], NodeT],
) -> Connection[NodeT]:
    """The page made of up to `page.limit` rows that follow `page.after`.

    Args:
        key: values that order the list and find the row again.
        node: the GraphQL object of a row.
    """
    shown = rows[: page.first]
    cursors = [encode_cursor(key(row)) for row in shown]
    nodes = [node(row) for row in shown]
    return Connection(
        edges=[Edge(cursor=cursor, node=item) for cursor, item in zip(cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=len(rows) > page.first,
            has_previous_page=page.after is not None,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
    )
