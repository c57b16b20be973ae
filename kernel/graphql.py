"""GraphQL that every subgraph shares: scalars, money, refusals, pages."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, NewType, Self, TypeVar

import orjson
import strawberry
from graphql import GraphQLError

from kernel.refusals import InvalidInput, NotFound, Refusal, RequestIdReused, RequestInProgress
from kernel.units import AMOUNT_MAX, Ratio

PAGE_SIZE_MAX = 100
CURSOR_MAX = 1_000
NodeT = TypeVar("NodeT")
RowT = TypeVar("RowT")

Long = NewType("Long", int)
"""A whole JSON number within ±(2^53 − 1)."""


class BadUserInput(GraphQLError):
    """An argument outside its limits: a protocol error, not a refusal."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "BAD_USER_INPUT"})


class Forbidden(GraphQLError):
    """The caller may not see or do this."""

    def __init__(self, message: str = "You may not do this.") -> None:
        super().__init__(message, extensions={"code": "FORBIDDEN"})


def parse_long(value: object) -> int:
    """The whole number that a client sent.

    Raises:
        BadUserInput: it is no whole number, or beyond ±(2^53 − 1).
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadUserInput("Long is a whole JSON number.")
    if not -AMOUNT_MAX <= value <= AMOUNT_MAX:
        raise BadUserInput("Long lies within ±(2^53 − 1).")
    return value


def parse_datetime(value: object) -> datetime:
    """The instant, in UTC, that RFC 3339 text names.

    Raises:
        BadUserInput: the text is no instant, or has no offset.
    """
    if not isinstance(value, str) or len(value) > 40:
        raise BadUserInput("DateTime is RFC 3339 text: 2026-03-01T09:30:00Z.")
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadUserInput("DateTime is RFC 3339 text: 2026-03-01T09:30:00Z.") from error


def format_datetime(instant: datetime) -> str:
    """RFC 3339 text in UTC, with a `Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_date(value: object) -> date:
    """The calendar day that `YYYY-MM-DD` names.

    Raises:
        BadUserInput: the text is no day.
    """
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadUserInput("Date is text like 2026-03-01.") from error


def parse_ratio(value: object) -> Ratio:
    """The ratio that `n/d` names.

    Raises:
        BadUserInput: the text is no ratio of whole numbers.
    """
    try:
        if not isinstance(value, str):
            raise ValueError
        return Ratio.parse(value)
    except ValueError as error:
        raise BadUserInput('Ratio is text like "1/100".') from error


SCALARS: dict[object, Any] = {
    Long: strawberry.scalar(
        name="Long",
        description="An integer JSON number within ±(2^53 − 1); refused beyond.",
        serialize=parse_long,
        parse_value=parse_long,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, RFC 3339 in UTC.",
        serialize=format_datetime,
        parse_value=parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, YYYY-MM-DD.",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    Ratio: strawberry.scalar(
        name="Ratio",
        description='A fraction as text, "1/100": minor units per point.',
        serialize=str,
        parse_value=parse_ratio,
    ),
}


@strawberry.enum(description="An ISO 4217 currency; an alliance has one.")
class CurrencyCode(enum.Enum):
    """ISO 4217 currencies with two decimals."""

    CNY = "CNY"
    GBP = "GBP"
    USD = "USD"
    EUR = "EUR"
    HKD = "HKD"


@strawberry.enum(description="A kind of point of sale.")
class ChannelKind(enum.Enum):
    """Kinds of store."""

    STORE_POS = "STORE_POS"
    WEB_SHOP = "WEB_SHOP"
    MINI_PROGRAM = "MINI_PROGRAM"
    APP = "APP"


@strawberry.federation.type(
    shareable=True, description="An amount of money, coins included: 1 coin = 1 minor unit."
)
class Money:
    """An amount of money."""

    amount_minor: Long = strawberry.field(
        description="Minor units of `currency` (fen, pence, cents); may be negative."
    )
    currency: CurrencyCode = strawberry.field(description="Always the alliance's currency.")

    @classmethod
    def of(cls, amount_minor: int, currency: str) -> Self:
        """Money from an amount and an ISO code."""
        return cls(amount_minor=Long(amount_minor), currency=CurrencyCode(currency))


@strawberry.input(description="An amount of money.")
class MoneyInput:
    """An amount of money from outside."""

    amount_minor: Long = strawberry.field(
        description="Minor units of `currency` (fen, pence, cents)."
    )
    currency: CurrencyCode = strawberry.field(
        description="Refused when it is not the alliance's currency."
    )


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
        raise BadUserInput(f"first is 1 to {PAGE_SIZE_MAX}.")
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


@strawberry.interface(
    name="Refusal",
    description='An expected "no". Unknown types may be added: select `... on Refusal`.',
)
class RefusalPayload:
    """What every refusal tells."""

    code: str = strawberry.field(
        description="The type's name in capitals without `Refusal`: QUOTE_STALE."
    )
    message: str = strawberry.field(description="One sentence for people; its wording may change.")
    retryable: bool = strawberry.field(
        description="Whether the same request, repeated, may be answered otherwise; "
        "only then is the refusal not stored."
    )

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of a refusal whose further fields have the same names and values."""
        own = {
            field.name: getattr(refusal, field.name)
            for field in dataclasses.fields(cls)
            if field.name not in ("code", "message", "retryable")
        }
        return cls(**cls.told_by(refusal), **own)

    @staticmethod
    def told_by(refusal: Refusal) -> dict[str, Any]:
        """The three fields that every payload has."""
        return {
            "code": refusal.code,
            "message": refusal.message,
            "retryable": refusal.retryable,
        }


@strawberry.federation.type(
    shareable=True, description="One fault of an input or of a backend's schema."
)
class InputProblem:
    """One fault of an input."""

    field: str = strawberry.field(
        description="Path within the input, `steps.2.threshold`, or a schema coordinate."
    )
    message: str = strawberry.field(description="What is wrong and what would be right.")


@strawberry.federation.type(
    shareable=True, description="The input is well-formed GraphQL and still wrong."
)
class InvalidInputRefusal(RefusalPayload):
    """Payload of `InvalidInput`."""

    problems: list[InputProblem] = strawberry.field(
        description="Every fault found, in input order; at least one."
    )

    @classmethod
    def of(cls, refusal: Any, info: Any) -> Self:
        """The payload of `InvalidInput`."""
        problems = [InputProblem(field=path, message=fault) for path, fault in refusal.problems]
        return cls(**cls.told_by(refusal), problems=problems)


@strawberry.federation.type(
    shareable=True, description="An id in the input names nothing that the caller may see."
)
class NotFoundRefusal(RefusalPayload):
    """Payload of `NotFound`."""

    id: strawberry.ID = strawberry.field(description="The id that was not found.")


@strawberry.federation.type(
    shareable=True, description="The `requestId` was used before with a different body."
)
class RequestIdReusedRefusal(RefusalPayload):
    """Payload of `RequestIdReused`."""


@strawberry.federation.type(
    shareable=True,
    description="The first request with this `requestId` has not been answered yet.",
)
class RequestInProgressRefusal(RefusalPayload):
    """Payload of `RequestInProgress`."""


SHARED_REFUSALS: dict[type[Refusal], type[RefusalPayload]] = {
    InvalidInput: InvalidInputRefusal,
    NotFound: NotFoundRefusal,
    RequestIdReused: RequestIdReusedRefusal,
    RequestInProgress: RequestInProgressRefusal,
}


class RefusalHandler:
    """Turns a raised refusal into the member of the field's union that tells it."""

    def __init__(self, refusal: type[Refusal], payload: type[RefusalPayload]) -> None:
        self.exception_type = refusal
        self.error_type = payload

    def handle(self, exception: Any, *, field: Any, info: Any) -> Any:
        """The payload of the refusal."""
        return self.error_type.of(exception, info)


def refusal_handlers(
    payload_by_refusal: dict[type[Refusal], type[RefusalPayload]],
) -> Iterable[RefusalHandler]:
    """One handler for each refusal that a subgraph gives."""
    return [RefusalHandler(refusal, payload) for refusal, payload in payload_by_refusal.items()]


def input_as_json(value: object) -> object:
    """A Strawberry input as JSON without its `request_id`, absent fields left out.

    What `kernel.requests.hash_of` takes to recognise a repeat.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Ratio):
            return str(value)
        return {
            field.name: input_as_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name != "request_id" and getattr(value, field.name) is not strawberry.UNSET
        }
    if isinstance(value, list | tuple):
        return [input_as_json(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime):
        return format_datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
