"""Where the three databases of a gateway are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kernel.database.addresses import PostgresAddress, address_of

ALLIANCE = "alliance"
LEDGER = "ledger"
MERCHANTS = "merchants"


@dataclass(frozen=True, slots=True)
class Databases:
    """Where each is: the path of a file, or the URL of a PostgreSQL schema."""

    alliance: str | Path
    ledger: str | Path
    merchants: str | Path

    @classmethod
    def in_files_of(
        cls, directory: Path, *, alliance: str = "", ledger: str = "", merchants: str = ""
    ) -> Databases:
        """Files in a data directory, except those that have a URL.

        A URL that names no schema means the one that is named as the database: `ledger`.

        Raises:
            ValueError: a URL that names no database, or two that name the same schema.
        """
        given = {ALLIANCE: alliance, LEDGER: ledger, MERCHANTS: merchants}
        placed = {
            name: _in_schema(url, name) if url else directory / f"{name}.db"
            for name, url in given.items()
        }
        if len(set(placed.values())) < len(placed):
            raise ValueError("two databases can not share a schema")
        return cls(**placed)

    @property
    def any_file(self) -> bool:
        """Whether one is a file, which one server at a time may have open."""
        return any(isinstance(each, Path) for each in (self.alliance, self.ledger, self.merchants))


def _in_schema(url: str, name: str) -> str:
    if not isinstance(address_of(url), PostgresAddress):
        raise ValueError("a database's URL is postgresql://host/name")
    if "schema=" in url.partition("?")[2]:
        return url
    return f"{url}{'&' if '?' in url else '?'}schema={name}"
