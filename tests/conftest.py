"""Where a test's databases are: SQLite files of its own, or schemas of a PostgreSQL made for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import places as kept
from tests.places import Places, PostgresPlaces, PostgresServer, SqlitePlaces


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="where tests that run on either keep their databases",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run on each; others on the one asked for."""
    if metafunc.definition.get_closest_marker("both_databases"):
        on_postgresql = pytest.param("postgresql", marks=pytest.mark.postgresql)
        metafunc.parametrize("places", ["sqlite", on_postgresql], indirect=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process, started when the first test asks for it."""
    with PostgresServer.started() as server:
        yield server


@pytest.fixture(autouse=True)
def places(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """Names databases that are this test's own; `tests.places.address_in` names the same."""
    kind = getattr(request, "param", request.config.getoption("--database"))
    if request.node.get_closest_marker("sqlite"):
        kind = "sqlite"
    elif request.node.get_closest_marker("postgresql"):
        kind = "postgresql"
    if kind == "sqlite":
        yield SqlitePlaces(lambda: request.getfixturevalue("tmp_path"))
        return
    own = PostgresPlaces(request.getfixturevalue("postgres_server"))
    monkeypatch.setattr(kept, "postgres", own)
    yield own
    own.drop()
