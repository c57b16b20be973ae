"""GraphQL that every subgraph shares: scalars, money, refusals."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, NewType, Self

import strawberry
from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema

from kernel.refusals import InvalidInput, NotFound, Refusal, RequestIdReused, RequestInProgress
from kernel.units import AMOUNT_MAX, Ratio

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
        raise BadUserInput(
            'Ratio is text like "1/100" or "1": whole numbers, not negative, of at most 9 digits.'
        ) from error


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
        description='A fraction as text, "1/100" or "1", each part a whole number of at most 9 '
        "digits: minor units per point.",
        serialize=str,
        parse_value=parse_ratio,
    ),
}


def check_scalars(schema: GraphQLSchema) -> None:
    """Lets a schema that knows the scalars by name alone refuse what they can not be."""
    for scalar in SCALARS.values():
        known = schema.type_map.get(scalar.name)
        if isinstance(known, GraphQLScalarType):
            # graphql-core 3.3 reads the second name; 3.2 knows only the first.
            for name in ("parse_value", "coerce_input_value"):
                setattr(known, name, scalar.parse_value)


@strawberry.enum(description="An ISO 4217 currency; an alliance has one.")
class CurrencyCode(enum.Enum):
    """ISO 4217 currencies with two decimals."""

    CNY = "CNY"
    GBP = "GBP"
    USD = "USD"
    EUR = "EUR"
    HKD = "HKD"


@strawberry.enum(
    description="A kind of point of sale. STORE_POS: a till. WEB_SHOP: a web site. MINI_PROGRAM: "
    "a WeChat mini-program. APP: a merchant's own app."
)
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


REQUEST_ID = (
    "Chosen by the client, 1 to 128 characters; remembered for this caller and this mutation. A "
    "repeat with the same input returns the first outcome, a refusal too unless it is retryable; "
    "one with another input is refused: `REQUEST_ID_REUSED`."
)
"""Describes the field `requestId` of an input."""


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
        """The payload of the refusal, in the language of the request."""
        payload = self.error_type.of(exception, info)
        payload.message = exception.message_in(getattr(info.context, "language", "en"))
        return payload


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
