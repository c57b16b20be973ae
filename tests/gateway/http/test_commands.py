"""The `alliance` command, as people type it."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from click.testing import Result
from typer.testing import CliRunner

from gateway.access.authentication import Authenticator
from gateway.access.signing_keys import DEVELOPMENT_ISSUER, DevelopmentKey, TrustedIssuer
from gateway.assembly.data_directory import open_alliance
from gateway.cli import app
from gateway.commands.failures import CommandFailed
from gateway.federation.supergraph import Supergraph
from gateway.http.listening import CanNotListen
from kernel.callers import Caller, CallerKind
from kernel.clock import SystemClock
from kernel.ids import RandomIds, derived_id

MERCHANT_ID = derived_id("mer", "commands")
STORE_ID = derived_id("sto", "commands")
PRODUCTS = """
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
type Query { product: Product }
type Product @key(fields: "id") { id: ID! name: String }
"""


def write_config(directory: Path, sdl: str, *, url: str = "http://products") -> Path:
    (directory / "products.graphql").write_text(sdl)
    config = directory / "supergraph.toml"
    config.write_text(f'[subgraphs.products]\nsdl = "products.graphql"\nurl = "{url}"\n')
    return config


def test_compose_prints_a_supergraph_that_can_be_read_back(tmp_path: Path) -> None:
    config = write_config(tmp_path, PRODUCTS)

    result = CliRunner().invoke(app, ["compose", "--config", str(config)])

    assert result.exit_code == 0
    assert Supergraph.parse(result.stdout).subgraphs == {"products": "http://products"}


def test_compose_writes_a_file_when_told(tmp_path: Path) -> None:
    config = write_config(tmp_path, PRODUCTS)
    output = tmp_path / "supergraph.graphql"

    CliRunner().invoke(app, ["compose", "--config", str(config), "--output", str(output)])

    assert "join__Graph" in output.read_text()


def plan_of(directory: Path, operation: str, *options: str) -> Result:
    """What `alliance plan` makes of an operation on the supergraph of products."""
    supergraph = directory / "supergraph.graphql"
    config = write_config(directory, PRODUCTS)
    CliRunner().invoke(app, ["compose", "--config", str(config), "--output", str(supergraph)])
    (directory / "operation.graphql").write_text(operation)
    files = ["--supergraph", str(supergraph), "--operation", str(directory / "operation.graphql")]
    return CliRunner().invoke(app, ["plan", *files, *options])


def test_plan_prints_what_each_subgraph_is_asked(tmp_path: Path) -> None:
    document = "query A { product { id } } query B { product { id name } }"

    result = plan_of(tmp_path, document, "--operation-name", "B")

    assert result.stdout == "Fetch products\n  {product{id name}}\n"


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("{ product { price } }", "Cannot query field 'price'"),
        ("query A { product { id } } query B { product { id } }", "exactly one operation"),
        ("{", "Syntax Error"),
    ],
)
def test_plan_tells_why_there_is_none(tmp_path: Path, operation: str, told: str) -> None:
    result = plan_of(tmp_path, operation)

    assert isinstance(result.exception, CommandFailed)
    assert told in str(result.exception)


async def test_token_prints_a_token_that_the_data_directory_vouches_for(tmp_path: Path) -> None:
    result = await asyncio.to_thread(
        CliRunner().invoke,
        app,
        f"token --as merchant --subject {MERCHANT_ID} --store {STORE_ID} --device till-7".split()
        + f"--data {tmp_path}".split(),
    )

    authenticator = Authenticator(
        [TrustedIssuer(DEVELOPMENT_ISSUER, "alliance", DevelopmentKey.open(tmp_path))],
        unix_time=time.time,
    )
    assert await authenticator.caller(f"Bearer {result.stdout.strip()}") == Caller(
        CallerKind.MERCHANT, MERCHANT_ID, store_id=STORE_ID, device="till-7"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["token", "--as", "member", "--subject", "ada"], "alliance: the subject of a member"),
        (
            ["token", "--as", "admin", "--subject", "ada", "--store", STORE_ID],
            "alliance: only merchant tokens",
        ),
        (["compose", "--config", "empty.toml"], "alliance: empty.toml has no table"),
        (["compose", "--config", "clash.toml"], "alliance: the subgraphs do not compose"),
        (["route", "--supergraph", "empty.toml"], "alliance: empty.toml is no supergraph"),
        (
            ["plan", "--supergraph", "empty.toml", "--operation", "empty.toml"],
            "alliance: empty.toml is no supergraph",
        ),
    ],
)
def test_what_people_can_mend_is_told_in_words(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    root = Path.cwd()
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "a.graphql").write_text("type Query { a: String }")
    (tmp_path / "b.graphql").write_text("type Query { a: Int }")
    (tmp_path / "clash.toml").write_text(
        '[subgraphs.a]\nsdl = "a.graphql"\n[subgraphs.b]\nsdl = "b.graphql"\n'
    )
    exit_code, error = run_in(tmp_path, arguments, root)

    assert exit_code == 1
    assert told in error
    assert "Traceback" not in error


def run_in(directory: Path, arguments: Sequence[str], root: Path) -> tuple[int, str]:
    """Exit code and standard error of the real command."""
    finished = subprocess.run(
        [sys.executable, "-c", "from gateway.cli import main; main()", *arguments],
        cwd=directory,
        env={"ALLIANCE_DATA": str(directory), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return finished.returncode, finished.stderr


@asynccontextmanager
async def products_subgraph() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A subgraph of its own on loopback, and the requests it got."""
    received: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        received.append(request)
        return web.json_response({"data": {"product": {"name": "tea"}}})

    application = web.Application()
    application.router.add_post("/graphql", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/graphql", received
    finally:
        await runner.cleanup()


@pytest.mark.slow
async def test_route_serves_a_supergraph_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async with products_subgraph() as (url, received):
        config = write_config(tmp_path, PRODUCTS, url=url)
        supergraph = CliRunner().invoke(app, ["compose", "--config", str(config)]).stdout
        file = tmp_path / "supergraph.graphql"
        await asyncio.to_thread(file.write_text, supergraph)
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-u", "-c", "from gateway.cli import main; main()", "route"],
            *["--supergraph", str(file), "--port", "0", "--pass-header", "Authorization"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        served = re.search(r"http://\S+(?=/graphql)", line)
        assert served is not None, line
        async with httpx.AsyncClient(base_url=served[0]) as client:
            answer = await client.post(
                "/graphql",
                json={"query": "{ product { name } }"},
                headers={"authorization": "Basic YTpi"},
            )
            health = await client.get("/health")
        process.send_signal(signal.SIGTERM)
        _, error = await asyncio.wait_for(process.communicate(), 30)

    assert answer.json() == {"data": {"product": {"name": "tea"}}}
    assert health.status_code == 200
    assert received[0].headers["authorization"] == "Basic YTpi"
    assert (process.returncode, error) == (0, b"")


@pytest.mark.slow
async def test_a_directory_that_a_server_runs_on_is_told_by_exit_code_3(tmp_path: Path) -> None:
    async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()):
        exit_code, error = await asyncio.to_thread(
            run_in, tmp_path, ["serve", "--port", "1"], Path.cwd()
        )

    assert exit_code == 3
    assert error == f"alliance: another server runs on {tmp_path}\n"


def test_verify_says_so_when_there_is_no_ledger(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["verify", "--data", str(tmp_path)])

    assert isinstance(result.exception, CommandFailed)
    assert str(result.exception) == f"{tmp_path} holds no ledger"


async def test_verify_proves_the_ledger_of_a_data_directory(tmp_path: Path) -> None:
    async with open_alliance(tmp_path, clock=SystemClock(), ids=RandomIds()):
        pass

    result = await asyncio.to_thread(CliRunner().invoke, app, ["verify", "--data", str(tmp_path)])

    assert result.exit_code == 0
    assert result.stdout.startswith("The ledger balances:")


def test_schema_prints_the_supergraph_with_the_urls_that_are_given() -> None:
    result = CliRunner().invoke(
        app, ["schema", "--supergraph", "--url", "ledger=http://ledger/graphql"]
    )

    assert Supergraph.parse(result.stdout).subgraphs == {
        "alliance": "",
        "ledger": "http://ledger/graphql",
        "merchants": "",
    }


def test_the_demonstration_is_not_filled_when_its_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        with pytest.raises(CanNotListen, match="--port takes another"):
            CliRunner().invoke(
                app,
                ["demo", "--data", str(tmp_path / "demo"), "--port", port],
                catch_exceptions=False,
            )

    assert not (tmp_path / "demo").exists()


def test_a_server_that_is_told_to_stop_as_it_announces_itself_stops() -> None:
    program = """
import signal
from starlette.applications import Starlette
from gateway.http.listening import listen
listen(
    Starlette(), host="127.0.0.1", port=0, announce=lambda _: signal.raise_signal(signal.SIGTERM)
)
"""
    stopped = subprocess.run([sys.executable, "-c", program], timeout=60, check=False)

    assert stopped.returncode == 0
