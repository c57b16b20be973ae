"""Arrays as PostgreSQL spells them, in one text.

asyncpg encodes an array value by value, and asks of each whether it is an array itself: a third of
what an order cost. JSON differs from PostgreSQL's spelling by its brackets and by what follows a
backslash, and orjson writes all values in one call.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

Value = int | str | None


def array_of(values: Iterable[Value]) -> str:
    """The values as one text that the server casts to an array.

    A number beyond 64 bits is spelled as it is: the server refuses it.
    """
    some = values if isinstance(values, list | tuple) else list(values)
    try:
        spelled = orjson.dumps(some).decode()
    except TypeError:  # It is no JSON: a number is too long, or a text is half a character.
        return _spelled_out(some)
    # Behind a backslash both know the quote and the backslash alone.
    if "\\" in spelled and any(escape in spelled for escape in _OF_JSON_ALONE):
        return _spelled_out(some)
    return f"{{{spelled[1:-1]}}}"


_OF_JSON_ALONE = tuple(f"\\{letter}" for letter in "bfnrtu")


def _spelled_out(values: Iterable[Value]) -> str:
    return f"{{{','.join(map(_spelled, values))}}}"


def _spelled(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
