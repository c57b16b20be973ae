"""Brings a database to the tables that this version of the code knows, or refuses it.

See docs/decisions/migrations.md.
"""

from kernel.database.migrating.history import (
    DatabaseRefused,
    History,
    NewerDatabase,
    UnversionedDatabase,
)
from kernel.database.migrating.opening import Schema, bring_up_to_date, is_up_to_date

__all__ = [
    "DatabaseRefused",
    "History",
    "NewerDatabase",
    "Schema",
    "UnversionedDatabase",
    "bring_up_to_date",
    "is_up_to_date",
]
