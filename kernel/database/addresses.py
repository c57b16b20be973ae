"""Where a database is: a path, or a PostgreSQL URL.

`postgresql://user:password@host:port/name?schema=ledger&connections=10&sslmode=verify-full`

* `schema`: where its tables are, `public` unless told; it is made when it is missing. Several
  databases of a gateway may share one PostgreSQL database, each in a schema of its own.
* `connections`: at most so many at once from this process, 1 to 100.
* `host`: may also be a parameter, for the directory of a Unix socket.
* `sslmode`: as libpq understands it.
* `statement_timeout_ms`, `lock_timeout_ms`: how long the server works on a statement, and waits
  for a lock, before it gives the transaction up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

CONNECTIONS = 10
CONNECTIONS_MAX = 100
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
TIMEOUT_MAX_MS = 3_600_000
_SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_PASSED_ON = {"host", "port", "sslmode"}


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A schema of a PostgreSQL database, and how it is used.

    Attributes:
        url: for SQLAlchemy, with what asyncpg itself understands.
        connections: at most so many at once.
    """

    url: URL
    schema: str
    connections: int
    statement_timeout_ms: int
    lock_timeout_ms: int


def address_of(address: str | Path) -> Path | PostgresAddress:
    """What an address names.

    Raises:
        ValueError: a URL of another kind, or with parameters that are not known; the message
            holds no password.
    """
    if isinstance(address, Path) or "://" not in address:
        return Path(address)
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise ValueError("a database is a path or postgresql://host/name") from error
    if urlsplit(address).scheme not in _SCHEMES or not url.database:
        raise ValueError("a database is a path or postgresql://host/name")
    given = {name: str(value) for name, value in url.query.items()}
    own = {"schema", "connections", "statement_timeout_ms", "lock_timeout_ms"}
    if unknown := given.keys() - own - _PASSED_ON:
        raise ValueError(f"a database's URL knows no {', '.join(sorted(unknown))}")
    schema = given.get("schema", "public")
    if not _SCHEMA.fullmatch(schema):
        raise ValueError("a schema is named by small letters, digits and underscores, at most 63")
    return PostgresAddress(
        _driver_url(url, given),
        schema,
        _whole(given, "connections", CONNECTIONS, most=CONNECTIONS_MAX),
        _whole(given, "statement_timeout_ms", STATEMENT_TIMEOUT_MS, most=TIMEOUT_MAX_MS),
        _whole(given, "lock_timeout_ms", LOCK_TIMEOUT_MS, most=TIMEOUT_MAX_MS),
    )


def _driver_url(url: URL, given: dict[str, str]) -> URL:
    """The URL that SQLAlchemy opens; asyncpg calls `sslmode` `ssl`."""
    renamed = {"sslmode": "ssl"}
    kept = {renamed.get(name, name): given[name] for name in given.keys() & _PASSED_ON}
    return url.set(drivername="postgresql+asyncpg", query=kept)


def _whole(given: dict[str, str], name: str, default: int, *, most: int) -> int:
    text = given.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ValueError(f"{name} must be 1 to {most}")
    return int(text)
