"""Writes a period down so that a stranger can add it up again: the same bytes whenever asked.

Source: docs/rules/export.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection

from ledger.reports.journal import (
    read_journal,
    read_journal_header,
    read_statement,
    read_statement_header,
)

Write = Callable[[bytes], object]

_FORMULA_OR_MARK = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""How text begins that a spreadsheet would run as a formula, quotes or not; and our mark of it."""


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    NDJSON = "ndjson"


class NothingToExport(Exception):
    """There are no entries in the period, or none of the merchant."""


def export_period(connection: Connection, month: int, how: ExportFormat, write: Write) -> None:
    """Writes a period's whole journal, row after row; only one is held at a time.

    Args:
        write: called with each line, its line feed included.

    Raises:
        NothingToExport: it is open and has none, as one that is to come; nothing was written.
    """
    header = read_journal_header(connection, month)
    if header["state"] == "OPEN" and not header["transactions"]:
        raise NothingToExport
    _write(header, read_journal(connection, month), how, write)


def export_statement(
    connection: Connection, month: int, merchant_id: str, how: ExportFormat, write: Write
) -> None:
    """Writes one merchant's part of a period, which names no card and no other merchant.

    Raises:
        NothingToExport: it has none; nothing was written.
    """
    header = read_statement_header(connection, month, merchant_id)
    if header is None:
        raise NothingToExport
    _write(header, read_statement(connection, month, merchant_id), how, write)


def _write(
    header: dict[str, Any], rows: Iterable[tuple[Any, ...]], how: ExportFormat, write: Write
) -> None:
    told = orjson.dumps(header)
    if how is ExportFormat.NDJSON:
        write(told + b"\n")
        for row in rows:
            write(orjson.dumps(row) + b"\n")
        return
    write(b"# " + told + b"\n")
    write(",".join(header["columns"]).encode() + b"\n")
    for row in rows:
        write(",".join(map(csv_value, row)).encode() + b"\n")


def csv_value(value: str | int | None) -> str:
    """A value of a CSV line: whole numbers bare, text always in quotes, nothing for null.

    Source: docs/rules/export.md, rule 4.
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if value.startswith(_FORMULA_OR_MARK):
        value = "'" + value
    return '"' + value.replace('"', '""') + '"'
