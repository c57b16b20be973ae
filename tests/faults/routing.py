"""`alliance route` as a process of its own, before subgraphs on loopback."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from gateway.federation.composition import SubgraphSdl, compose


@dataclass
class Routed:
    """A running router; `log` is what it wrote to standard error, once it has stopped."""

    url: str
    process: asyncio.subprocess.Process
    log: str = ""


@asynccontextmanager
async def routed(file: Path) -> AsyncIterator[Routed]:
    """Within it, the router serves the file; afterwards it has stopped in good order."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-u", "-c", "from gateway.cli import main; main()", "route"],
        *["--supergraph", str(file), "--port", "0"],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
    served = re.search(r"http://\S+(?=/graphql)", line)
    assert served is not None, line
    running = Routed(served[0], process)
    try:
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        _, error = await asyncio.wait_for(process.communicate(), 60)
        running.log = error.decode()
    assert process.returncode == 0


@asynccontextmanager
async def answering(data_by_path: dict[str, object]) -> AsyncIterator[str]:
    """A server that answers every post with the data of its path; yields its URL."""

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(0.01)  # So that requests are under way while things change.
        return web.json_response({"data": data_by_path[request.path]})

    application = web.Application()
    application.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def composed(sdl_by_name: dict[str, str], url_by_name: dict[str, str]) -> str:
    """The supergraph of some subgraphs."""
    subgraphs = [SubgraphSdl(name, url_by_name[name], sdl) for name, sdl in sdl_by_name.items()]
    return compose(subgraphs).supergraph_sdl


def replace_file(file: Path, text: str) -> None:
    """Writes a file so that readers see the old text or the new one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)
