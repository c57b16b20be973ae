"""Finds what lies at the paths of a plan in the merged data."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from gateway.federation.faults import PathKey
from gateway.federation.plan import Each, Key, Segment

Json = dict[str, Any]
Path = tuple[PathKey, ...]

# What was found so far, by the number of the path; begins with the root, whose number is 0.
Reached = dict[int, list[Any]]


class Paths:
    """Paths from the root of the merged data; what they have in common is walked once."""

    __slots__ = ("_numbers", "_steps")

    def __init__(self) -> None:
        self._numbers: dict[tuple[Segment, ...], int] = {(): 0}
        self._steps: list[tuple[int, Segment]] = [(0, Each())]  # The root needs none.

    def number(self, path: tuple[Segment, ...]) -> int:
        """Names the path in calls of `values`."""
        number = self._numbers.get(path)
        if number is None:
            parent = self.number(path[:-1])
            number = self._numbers[path] = len(self._steps)
            self._steps.append((parent, path[-1]))
        return number

    def values(self, number: int, reached: Reached) -> list[Any]:
        """What lies at the path in response order, without nulls; what does not fit is left out.

        A list that several parents share is walked once. An object may still come twice.

        Args:
            reached: gets what was found; to be begun anew once the data has changed.
        """
        values = reached.get(number)
        if values is None:
            parent, segment = self._steps[number]
            values = reached[number] = _step(self.values(parent, reached), segment)
        return values


def _step(values: list[Any], segment: Segment) -> list[Any]:
    if isinstance(segment, Key):
        try:
            return [v for v in map(itemgetter(segment.name), values) if v is not None]
        except (KeyError, TypeError):
            return _step_of_some(values, segment.name)
    if isinstance(segment, Each):
        lists = {id(value): value for value in values if type(value) is list}
        return [item for items in lists.values() for item in items if item is not None]
    return [value for value in values if is_among(value, segment.typenames)]


def _step_of_some(values: list[Any], name: str) -> list[Any]:
    return [
        value
        for parent in values
        if type(parent) is dict and (value := parent.get(name)) is not None
    ]


def is_among(value: Any, typenames: frozenset[str]) -> bool:
    """Whether the value is an object that says to be of one of the types."""
    if type(value) is not dict:
        return False
    typename = value.get("__typename")
    return type(typename) is str and typename in typenames


def located_objects_at(root: Json, path: Sequence[Segment]) -> list[tuple[Json, Path]]:
    """Every object at `path` with each place where it lies; slower, made for error paths."""
    located: list[tuple[Any, Path]] = [(root, ())]
    for segment in path:
        if isinstance(segment, Key):
            name = segment.name
            located = [
                (value, (*place, name))
                for parent, place in located
                if type(parent) is dict and (value := parent.get(name)) is not None
            ]
        elif isinstance(segment, Each):
            located = [
                (item, (*place, index))
                for items, place in located
                if type(items) is list
                for index, item in enumerate(items)
                if item is not None
            ]
        else:
            located = [entry for entry in located if is_among(entry[0], segment.typenames)]
    return [(value, place) for value, place in located if type(value) is dict]
