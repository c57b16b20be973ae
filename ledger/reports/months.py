"""How people write a period: 2026-03. Pure."""

from __future__ import annotations


def label_of(month: int) -> str:
    """The month, counted as year · 12 + month − 1, as `2026-03`."""
    year, index = divmod(month, 12)
    return f"{year:04}-{index + 1:02}"


def month_of_label(label: str) -> int:
    """The month that `2026-03` writes.

    Raises:
        ValueError: it writes none.
    """
    year, dash, index = label.partition("-")
    is_month = len(year) == 4 and len(index) == 2 and f"{year}{index}".isascii()
    if not (dash and is_month and f"{year}{index}".isdigit() and 1 <= int(index) <= 12):
        raise ValueError(f"not a month like 2026-03: {label[:20]!r}")
    return int(year) * 12 + int(index) - 1
