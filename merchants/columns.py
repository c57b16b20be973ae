"""The kinds of columns that tables of a backend have."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Text


def key_column(name: str) -> Column[str]:
    """A part of the table's key."""
    return Column(name, Text, primary_key=True)


def text_column(name: str, *, nullable: bool = False) -> Column[str]:
    """A text, or JSON."""
    return Column(name, Text, nullable=nullable)


def whole_column(name: str, *, nullable: bool = False) -> Column[int]:
    """A whole number: an amount, a count, or an instant."""
    return Column(name, Integer, nullable=nullable)
