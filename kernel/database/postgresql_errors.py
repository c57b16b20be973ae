"""What a failure of PostgreSQL or of the way to it means for the work that met it."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from kernel.graphql import BadUserInput

# A server that ends says so on a connection that asked nothing; until the driver has seen the end
# of the stream too, it refuses what it is asked as an error of its own.
LOST = (OSError, TimeoutError, asyncpg.InternalClientError)
FAILURES = (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, *LOST)
"""All that may come of a database that fails, rather than of the work that it does."""
DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, *LOST)
"""What asyncpg raises for a statement; SQLAlchemy's adapter of it raises its own."""

_UNIQUE = "23505"
_NO_TEXT = "22021"
_STALE_PLAN = "0A000"
# Serialisation failure, deadlock, stale plan after tables changed, too many connections.
_PASSING = ("40001", "40P01", _STALE_PLAN, "53300")
# Connection exceptions; a server that ends, starts or crashed.
_LOST_CLASSES = ("08", "57P")
# Their connection is in order, but what it prepared is not; the second has no place left.
_SPOILING = (_STALE_PLAN, "53300")


class Doubtful(Exception):
    """The connection was lost around COMMIT, or around a statement that commits by itself."""


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of the failure; None when the server did not name one."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(origin, "sqlstate", None)
    return code if isinstance(code, str) else None


def is_broken_constraint(error: BaseException) -> bool:
    """Whether the work itself broke a rule of its tables."""
    return isinstance(error, IntegrityError)


def is_duplicate(error: BaseException) -> bool:
    """Whether a row was there already."""
    return sqlstate(error) == _UNIQUE


def is_impossible_value(error: BaseException) -> bool:
    """Whether the work gave a value that its column can not hold, as a number of 65 bits."""
    return isinstance(error, DataError)


def is_passing(error: BaseException) -> bool:
    """Whether the same work may succeed when it runs again; nothing of it was kept."""
    code = sqlstate(error)
    if code is None:
        return is_lost(error)
    return code in _PASSING or code.startswith(_LOST_CLASSES)


def refuse_impossible_text(error: BaseException) -> None:
    """Raises what the client is told of a text that PostgreSQL can not hold.

    Raises:
        BadUserInput: the failure is of that kind.
    """
    if sqlstate(error) == _NO_TEXT:
        raise BadUserInput("Text can not hold the character U+0000.") from error


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone."""
    code = sqlstate(error)
    if code is not None:
        return code.startswith(_LOST_CLASSES)
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, LOST):
        return True
    cause = (
        origin if isinstance(origin, asyncpg.InterfaceError) else getattr(origin, "__cause__", None)
    )
    # A value that does not fit its parameter is an interface error too, of a live connection.
    if isinstance(cause, ValueError):
        return False
    return isinstance(cause, (asyncpg.InterfaceError, *LOST))


def is_in_doubt(error: BaseException) -> bool:
    """Whether a COMMIT that failed so may have been kept: the server did not refuse it."""
    return is_lost(error)


def spoils_connection(error: BaseException) -> bool:
    """Whether the connection is not to be used again."""
    return isinstance(error, Doubtful) or is_lost(error) or sqlstate(error) in _SPOILING


def is_stale_plan(error: BaseException) -> bool:
    """Whether tables changed since the statement was prepared."""
    return sqlstate(error) == _STALE_PLAN
