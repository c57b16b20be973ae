"""Growth tasks in GraphQL."""

from __future__ import annotations

import strawberry

from kernel.graphql import REQUEST_ID, Long
from merchants.ladders import growth as rules

_CODE = "The merchant's name for it: 1 to 50 capital letters, digits or _: CHECK_IN."
_GROWTH = "Growth value that doing it once gives, 1 to 1000000."
_PER_DAY = "How often it counts on one day of the alliance's time zone, 1 to 1000."
_PER_MONTH = "How often it counts in one calendar month; null: no limit."


@strawberry.type(description="Something that members do for growth value.")
class GrowthTask:
    """Something that members do for growth value."""

    code: str = strawberry.field(description=_CODE)
    title: str = strawberry.field(description="Name, for people.")
    title_en: str | None = strawberry.field(description="English name; null when not given.")
    growth: Long = strawberry.field(description=_GROWTH)
    per_day: int = strawberry.field(description=_PER_DAY)
    per_month: int | None = strawberry.field(description=_PER_MONTH)
    active: bool = strawberry.field(description="Whether it counts now.")

    @classmethod
    def of(cls, task: rules.GrowthTask) -> GrowthTask:
        """The GraphQL object of a task."""
        return cls(
            code=task.code,
            title=task.title,
            title_en=task.title_en,
            growth=Long(task.growth),
            per_day=task.per_day,
            per_month=task.per_month,
            active=task.is_active,
        )


@strawberry.input(description="Input of `setGrowthTask`.")
class SetGrowthTaskInput:
    """Input of `setGrowthTask`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(
        description="The merchant; an admin may name the alliance's own."
    )
    code: str = strawberry.field(description=_CODE)
    title: str = strawberry.field(description="Name, for people.")
    title_en: str | None = strawberry.field(default=None, description="English name.")
    growth: Long = strawberry.field(description=_GROWTH)
    per_day: int | None = strawberry.field(default=1, description=_PER_DAY)
    per_month: int | None = strawberry.field(default=None, description=_PER_MONTH)
    active: bool | None = strawberry.field(default=True, description="Whether it counts now.")


@strawberry.input(description="Input of `recordTask`.")
class RecordTaskInput:
    """Input of `recordTask`."""

    request_id: strawberry.ID = strawberry.field(description=REQUEST_ID)
    merchant_id: strawberry.ID = strawberry.field(description="The merchant.")
    card_id: strawberry.ID = strawberry.field(description="The card, which has joined.")
    code: str = strawberry.field(description="Code of the task.")
    reference: str | None = strawberry.field(
        default=None,
        description="What was done, in the merchant's words (id of a survey or review): the same "
        "counts once, whatever the request. Absent: each request is another.",
    )
