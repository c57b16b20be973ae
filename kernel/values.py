"""Values: dataclasses that nobody changes, cheap to make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """A slotted, hashable dataclass that only the type checker holds frozen.

    The constructor of a frozen dataclass asks `object.__setattr__` for each field, which costs
    three times as much; a busy path makes dozens of values an event.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
