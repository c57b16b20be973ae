"""Reads the keys out of cursors, which come from outside and may hold anything."""

from __future__ import annotations

from kernel.graphql import BadUserInput
from kernel.pages import PageArgs
from ledger.rules.state import NEVER


def whole_numbers(page: PageArgs, first_page: tuple[int, ...]) -> tuple[int, ...]:
    """The key behind which the page begins; `first_page` when it is the first.

    Raises:
        BadUserInput: the cursor holds something else than whole numbers.
    """
    if page.after is None:
        return first_page
    if not all(type(value) is int and -NEVER <= value <= NEVER for value in page.after):
        raise BadUserInput("after is no cursor of this list.")
    return page.after


def text(page: PageArgs) -> str:
    """The text behind which the page begins; empty when it is the first.

    Raises:
        BadUserInput: the cursor holds something else than text.
    """
    [value] = page.after or ("",)
    if not isinstance(value, str):
        raise BadUserInput("after is no cursor of this list.")
    return value
