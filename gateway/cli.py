"""The `alliance` command."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from gateway.access.signing_keys import KeysUnavailable
from gateway.commands.backup import backup
from gateway.commands.bench import bench
from gateway.commands.compose import compose
from gateway.commands.demo import demo
from gateway.commands.export import export
from gateway.commands.failures import CommandFailed
from gateway.commands.liability import liability
from gateway.commands.plan import plan
from gateway.commands.replay import replay
from gateway.commands.replay_coupons import replay_coupons
from gateway.commands.route import route
from gateway.commands.schema import schema
from gateway.commands.serve import serve
from gateway.commands.serve_subgraph import serve_subgraph
from gateway.commands.token import token
from gateway.commands.verify import verify
from gateway.http.listening import CanNotListen
from gateway.settings import SettingsInvalid, unknown_variables
from kernel.database import DatabaseRefused, DatabaseUnavailable, DirectoryInUse

DIRECTORY_IN_USE = 3
"""Exit code when another server runs on the data directory."""

DATABASE_REFUSED = 4
"""Exit code when a database is newer than the program, or says no revision."""

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo,
    "serve": serve,
    "serve-subgraph": serve_subgraph,
    "token": token,
    "schema": schema,
    "verify": verify,
    "export": export,
    "backup": backup,
    "liability": liability,
    "replay": replay,
    "replay-coupons": replay_coupons,
    "route": route,
    "compose": compose,
    "plan": plan,
    "bench": bench,
}

app = typer.Typer(
    name="alliance",
    help="One loyalty card across many merchants.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def main() -> None:
    """Runs the command line; what people can mend is told in one line, without a traceback."""
    for name, meant in unknown_variables().items():
        hint = f"; {meant} is" if meant else ""
        typer.echo(f"alliance: {name} is no setting and changes nothing{hint}", err=True)
    try:
        app()
    except DirectoryInUse as error:
        _fail(str(error), exit_code=DIRECTORY_IN_USE)
    except CommandFailed as error:
        _fail(str(error), exit_code=error.exit_code)
    except DatabaseRefused as error:
        _fail(str(error), exit_code=DATABASE_REFUSED)
    except (CanNotListen, SettingsInvalid, KeysUnavailable, DatabaseUnavailable) as error:
        _fail(str(error), exit_code=1)


def _fail(message: str, *, exit_code: int) -> None:
    typer.echo(f"alliance: {message}", err=True)
    sys.exit(exit_code)
