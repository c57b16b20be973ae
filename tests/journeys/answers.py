"""Says in one word how a request was answered."""

from __future__ import annotations

from typing import Any


def word_of(answer: dict[str, Any]) -> str:
    """`ok`, `null`, the code of a refusal, or the code of the first error.

    An answer is `ok` when everything that was asked for is there.
    """
    if answer.get("errors"):
        return str(answer["errors"][0]["extensions"]["code"])
    [value] = answer["data"].values()
    if value is None:
        return "null"
    if isinstance(value, dict) and value.get("__typename", "").endswith("Refusal"):
        return str(value["code"])
    return "ok"
