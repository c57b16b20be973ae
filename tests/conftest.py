"""Where a test's databases are: SQLite files of its own, or schemas of a PostgreSQL made for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import PostgresPlaces, PostgresServer, SqlitePlaces


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="where tests that run on either keep their databases",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run on each; others that take `places` on the one asked for."""
    if "places" not in metafunc.fixturenames:
        return
    if metafunc.definition.get_closest_marker("postgresql"):
        return
    kinds = [metafunc.config.getoption("--database")]
    if metafunc.definition.get_closest_marker("both_databases"):
        kinds = ["sqlite", "postgresql"]
    marks = {"sqlite": (), "postgresql": (pytest.mark.postgresql,)}
    metafunc.parametrize(
        "places",
        [pytest.param(kind, marks=marks[kind]) for kind in kinds],
        indirect=True,
        ids=kinds if len(kinds) > 1 else [""],
    )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test process, started when the first test asks for it."""
    with PostgresServer.started() as server:
        yield server


@pytest.fixture
def places(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[SqlitePlaces | PostgresPlaces]:
    """Names databases that are this test's own."""
    if request.param == "sqlite":
        yield SqlitePlaces(tmp_path)
        return
    own = PostgresPlaces(request.getfixturevalue("postgres_server"))
    yield own
    own.drop()
