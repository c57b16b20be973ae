"""Writes subgraphs' answers into the objects that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Json = dict[str, Any]

_MERGES_DEEPLY: Final = frozenset({dict, list})


def merge_into_all(targets: Sequence[Json], source: Json) -> bool:
    """Writes `source` into each of the targets, as `merge_object` does.

    Whether other paths than before may lead to objects; not so when only leaves were written.
    """
    values = source.values()
    if None not in values and _MERGES_DEEPLY.isdisjoint(map(type, values)):
        for target in targets:
            target |= source  # Leaves replace whatever stands there.
        return "__typename" in source
    for target in targets:
        merge_object(target, source)
    return True


def merge_object(target: Json, source: Json) -> None:
    """Writes `source` into `target`: objects and lists deeply, and never null over a value.

    Lists merge by index up to the shorter one. Parts of `source` become part of `target`.
    """
    if target.keys().isdisjoint(source):
        target.update(source)
        return
    for key, value in source.items():
        existing = target.get(key)
        if existing is None:
            target[key] = value
        elif value is not None and existing is not value:
            target[key] = _merged(existing, value)


def _merged(existing: Any, value: Any) -> Any:
    if type(existing) is dict and type(value) is dict:
        merge_object(existing, value)
        return existing
    if type(existing) is list and type(value) is list:
        for index in range(min(len(existing), len(value))):
            item = value[index]
            if item is None or existing[index] is item:
                continue
            old = existing[index]
            existing[index] = item if old is None else _merged(old, item)
        return existing
    return value
