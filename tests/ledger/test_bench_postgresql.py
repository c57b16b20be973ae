import shutil

import pytest

from ledger.bench.on_postgresql import NoYardstick, Run, measure_on
from tests.places import PostgresPlaces


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.skipif(shutil.which("pgbench") is None, reason="pgbench is not installed")
def test_the_ledger_on_postgresql_is_told_beside_pgbench(places: PostgresPlaces) -> None:
    told: list[str] = []

    measure_on(told.append, places.server.url, Run(orders=100, rounds=1))

    assert [line.split(":")[0] for line in told] == [
        "yardstick", "spread", "hot", "all at one merchant",
    ]  # fmt: skip


def test_a_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: "/bin/true")

    with pytest.raises(NoYardstick, match="does not answer"):
        measure_on(
            lambda _line: None, "postgresql://nobody@127.0.0.1:1/none", Run(orders=1, rounds=1)
        )
