from pathlib import Path

import pytest

from kernel.database.addresses import CONNECTIONS, PostgresAddress, address_of


def test_a_path_is_a_file() -> None:
    assert address_of("data/ledger.db") == Path("data/ledger.db")
    assert address_of(Path("a")) == Path("a")


def test_a_url_names_a_schema_and_its_limits() -> None:
    address = address_of(
        "postgresql://me:secret@db.example:5433/alliance"
        "?schema=ledger&connections=4&statement_timeout_ms=1000&lock_timeout_ms=500"
        "&sslmode=require"
    )

    assert isinstance(address, PostgresAddress)
    assert (address.schema, address.connections) == ("ledger", 4)
    assert (address.statement_timeout_ms, address.lock_timeout_ms) == (1_000, 500)
    assert address.url.render_as_string(hide_password=False) == (
        "postgresql+asyncpg://me:secret@db.example:5433/alliance?ssl=require"
    )


def test_what_a_url_does_not_say_has_a_default() -> None:
    address = address_of("postgres://me@/alliance?host=/run/postgresql")

    assert isinstance(address, PostgresAddress)
    assert (address.schema, address.connections) == ("public", CONNECTIONS)
    assert address.url.query == {"host": "/run/postgresql"}


@pytest.mark.parametrize(
    "wrong",
    [
        "mysql://me:secret@host/name",
        "postgresql://me:secret@host",
        "postgresql://me:secret@host/name?schema=a-b",
        "postgresql://me:secret@host/name?schema=a;drop",
        "postgresql://me:secret@host/name?connections=0",
        "postgresql://me:secret@host/name?connections=101",
        "postgresql://me:secret@host/name?connections=x",
        "postgresql://me:secret@host/name?options=-cfsync%3Doff",
        "postgresql://me:secret@host:port/name",
    ],
)
def test_a_url_that_says_something_else_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(ValueError) as refused:
        address_of(wrong)

    assert "secret" not in str(refused.value)
