"""Several reads as one statement, whose answer is a JSON array of rows for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_PARAMETER = re.compile(r"\$(\d+)")
_AS_IN_JSON = {"int2", "int4", "int8", "text", "varchar", "bool"}
"""Types whose values JSON gives back as they are."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a prepared read takes and gives.

    Attributes:
        parameters: how many values it is run with.
        columns: names of what it gives.
        fits: whether JSON holds all it gives.
    """

    parameters: int
    columns: tuple[str, ...]
    fits: bool

    @classmethod
    def of(cls, prepared: Any) -> Shape:
        """The shape of asyncpg's prepared statement."""
        attributes = prepared.get_attributes()
        return cls(
            len(prepared.get_parameters()),
            tuple(attribute.name for attribute in attributes),
            bool(attributes) and all(each.type.name in _AS_IN_JSON for each in attributes),
        )


@lru_cache(maxsize=256)
def together(reads: tuple[tuple[str, Shape], ...]) -> str:
    """One statement that gives, for each read, its rows as a JSON array or NULL."""
    parts, taken = [], 0
    for sql, shape in reads:
        names = [f"c{number}" for number in range(len(shape.columns))]
        inner = _PARAMETER.sub(lambda found, by=taken: f"${int(found[1]) + by}", sql)  # type: ignore[misc]
        row = ", ".join(f"t.{name}" for name in names)
        rows = f"CAST(json_agg(json_build_array({row})) AS text)"
        parts.append(f"(SELECT {rows} FROM ({inner}) AS t({', '.join(names)}))")
        taken += shape.parameters
    return "SELECT " + ", ".join(parts)


def all_values(values: Sequence[Sequence[Any]]) -> list[Any]:
    """The values of every read, in the order of the parameters of `together`."""
    return [value for each in values for value in each]
