import os
import shutil
import subprocess
import sys

import pytest

from ledger.bench import server_time
from ledger.bench.on_postgresql import NoYardstick, Run, measure_on
from ledger.bench.server_time import processor_seconds
from tests.places import PostgresPlaces


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.skipif(shutil.which("pgbench") is None, reason="pgbench is not installed")
def test_the_ledger_on_postgresql_is_told_beside_pgbench(places: PostgresPlaces) -> None:
    told: list[str] = []

    measure_on(told.append, places.server.url, Run(orders=100, rounds=1, clients=(8, 32)))

    assert [line.split(":")[0] for line in told] == [
        "yardstick", "spread, 8 clients", "spread, 32 clients", "hot, 8 clients",
        "all at one merchant",
    ]  # fmt: skip
    assert "two-leg transfers/s" in told[1]


def test_the_processor_time_of_children_is_counted_while_they_run_and_after() -> None:
    before = processor_seconds(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"], stdout=subprocess.DEVNULL)
    try:
        while processor_seconds(child.pid) < 0.05:
            pass
        while_it_ran = processor_seconds(os.getpid())
    finally:
        child.kill()
        child.wait()

    assert while_it_ran - before >= 0.05
    assert processor_seconds(os.getpid()) >= while_it_ran
    assert processor_seconds(2**30) is None


def test_a_child_that_ends_while_time_is_counted_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"], stdout=subprocess.DEVNULL)
    while processor_seconds(child.pid) < 0.1:
        pass
    while_it_ran = processor_seconds(os.getpid())
    fields = server_time._fields

    def fields_of_one_that_ends(process: int) -> list[str] | None:
        if process == child.pid:
            child.kill()
            child.wait()
        return fields(process)

    monkeypatch.setattr(server_time, "_fields", fields_of_one_that_ends)

    assert processor_seconds(os.getpid()) >= while_it_ran


def test_a_server_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: "/bin/true")

    with pytest.raises(NoYardstick, match="does not answer"):
        measure_on(
            lambda _line: None, "postgresql://nobody@127.0.0.1:1/none", Run(orders=1, rounds=1)
        )
