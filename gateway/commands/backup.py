"""`alliance backup`: the databases of a data directory, as all of them stood at one instant."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from gateway.access.signing_keys import DEVELOPMENT_KEY_FILE
from gateway.commands.failures import CommandFailed
from gateway.commands.kept_ledger import directory_with_ledger
from gateway.settings import read_settings
from kernel.clock import SystemClock
from kernel.database.backups import back_up
from kernel.graphql import format_datetime


def backup(
    to: Annotated[Path, typer.Argument(help="Directory to make; it must not exist.")],
    data: Annotated[Path | None, typer.Option(help="Data directory; a server may run.")] = None,
) -> None:
    """Copy an alliance's databases, as they stand at one instant; docs/backup.md tells more."""
    directory = directory_with_ledger(data)
    databases = read_settings().databases(directory)
    addresses = (databases.alliance, databases.ledger, databases.merchants)
    files = [each for each in addresses if isinstance(each, Path)]
    if len(files) < len(addresses):
        raise CommandFailed("a database is on PostgreSQL, whose own tools copy it: docs/backup.md")
    if to.exists():
        raise CommandFailed(f"{to} exists: nothing is written over a backup")
    instant = format_datetime(SystemClock().now())
    try:
        _make(to, [each for each in files if each.exists()], directory / DEVELOPMENT_KEY_FILE)
    except OSError as error:
        raise CommandFailed(f"can not write {to}: {error.strerror}") from error
    typer.echo(
        f"{to} holds the alliance as it stood after {instant}. "
        f"`alliance verify --data {to}` proves its ledger."
    )


def _make(to: Path, files: list[Path], key: Path) -> None:
    """A directory that appears when all of it is on the disk."""
    room = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.absolute().parent))
    try:
        back_up({file: room / file.name for file in files})
        with suppress(FileNotFoundError):
            shutil.copy2(key, room / key.name)
        for path in (*room.iterdir(), room):
            _flush(path)
        room.rename(to)
        _flush(to.absolute().parent)
    except BaseException:
        shutil.rmtree(room, ignore_errors=True)
        raise


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
