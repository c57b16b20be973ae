from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.faults.routing import Routed, answering, composed, replace_file, routed

SDL = {"words": "type Query { word: String }"}
QUERY = "{ word }"
CLIENTS = 8


class Load:
    """Clients that ask again and again; every answer and every failure is counted."""

    def __init__(self, url: str) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self._url = url

    async def until(self, stopped: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._ask(stopped, by_get=number % 2 == 1))

    async def _ask(self, stopped: asyncio.Event, *, by_get: bool) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=30) as client:
            while not stopped.is_set():
                if by_get:
                    response = await client.get("/graphql", params={"query": QUERY})
                else:
                    response = await client.post("/graphql", json={"query": QUERY})
                answer = response.json()
                if response.status_code == 200 and "errors" not in answer:
                    self.answers[answer["data"]["word"]] += 1
                else:
                    self.failures.append(response.text)


async def changing(
    file: Path, running: Routed, load: Load, supergraph: Callable[[str], str], seconds: float
) -> None:
    """Changes the file, well and badly, until the time is over and each change took effect."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    turn = 0
    while loop.time() < until or turn < 3:
        word = ("two", "one")[turn % 2]
        await asyncio.to_thread(replace_file, file, supergraph(word))
        if turn % 3 == 0:
            running.process.send_signal(signal.SIGHUP)
        before = load.answers[word]
        while load.answers[word] < before + CLIENTS:
            await asyncio.sleep(0.05)
            assert not load.failures
        await asyncio.to_thread(replace_file, file, "type Query { word: String }")
        running.process.send_signal(signal.SIGHUP)
        turn += 1


async def loaded_while_changing(directory: Path, seconds: float) -> tuple[Load, Routed]:
    data: dict[str, object] = {"/one": {"word": "one"}, "/two": {"word": "two"}}
    file = directory / "supergraph.graphql"
    stopped = asyncio.Event()
    async with answering(data) as url:

        def supergraph(word: str) -> str:
            return composed(SDL, {"words": f"{url}/{word}"})

        await asyncio.to_thread(replace_file, file, supergraph("one"))
        async with routed(file) as running, asyncio.TaskGroup() as group:
            load = Load(running.url)
            group.create_task(load.until(stopped))
            try:
                async with asyncio.timeout(seconds + 60):
                    await changing(file, running, load, supergraph, seconds)
            finally:
                stopped.set()
    return load, running


@pytest.mark.slow
async def test_no_request_is_lost_while_the_supergraph_file_changes(tmp_path: Path) -> None:
    load, running = await loaded_while_changing(tmp_path, seconds=3)

    assert load.failures == []
    assert set(load.answers) == {"one", "two"}
    assert "supergraph.graphql is no supergraph: The SDL has no enum join__Graph" in running.log


@pytest.mark.soak
async def test_no_request_is_lost_in_a_minute_of_changes(tmp_path: Path) -> None:
    load, _ = await loaded_while_changing(tmp_path, seconds=60)

    assert load.failures == []
    assert load.answers.total() > 1_000
