"""Two servers never run on one data directory: the second says so and stops."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

DIRECTORY_IN_USE = 3
WITHIN_S = 60
RUN = "from gateway.cli import main; main()"


async def _serve(directory: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", RUN, "serve", "--data", str(directory), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def _running(directory: Path) -> AsyncIterator[str]:
    """The URL of a server, which is told to stop on leaving and stops in order."""
    process = await _serve(directory)
    assert process.stdout is not None
    try:
        told = (await asyncio.wait_for(process.stdout.readline(), WITHIN_S)).decode()
        [url] = re.findall(r"http://\S+", told)
        yield url
        process.terminate()
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_second_server_says_so_and_stops(tmp_path: Path) -> None:
    body = {"query": "{ __typename }"}
    async with _running(tmp_path) as url, httpx.AsyncClient() as client:
        second = await _serve(tmp_path)
        output, error = await asyncio.wait_for(second.communicate(), WITHIN_S)
        answer = await client.post(url, json=body)

    assert second.returncode == DIRECTORY_IN_USE
    assert output == b""
    assert error.decode() == f"alliance: another server runs on {tmp_path}\n"
    assert answer.json()["data"] == {"__typename": "Query"}
