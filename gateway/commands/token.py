"""`alliance token`: a token to try things with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gateway.access.signing_keys import DevelopmentKey
from gateway.access.tokens import development_token
from gateway.commands.failures import CommandFailed
from gateway.settings import read_settings
from kernel.callers import Caller, CallerKind
from kernel.ids import is_id

_PREFIX_BY_KIND = {CallerKind.MEMBER: "mem", CallerKind.MERCHANT: "mer"}


def token(
    kind: Annotated[CallerKind, typer.Option("--as", help="What the bearer is.")],
    subject: Annotated[str, typer.Option(help="Member id, merchant id, or an admin's name.")],
    store: Annotated[str | None, typer.Option(help="Store of a merchant token.")] = None,
    device: Annotated[str | None, typer.Option(help="Till of a merchant token.")] = None,
    hours: Annotated[int, typer.Option(help="How long it is good.", min=1, max=8_760)] = 12,
    data: Annotated[Path | None, typer.Option(help="Data directory that holds the key.")] = None,
) -> None:
    """Print a token signed with the development key of a data directory."""
    settings = read_settings()
    prefix = _PREFIX_BY_KIND.get(kind)
    if prefix is not None and not is_id(subject, prefix):
        raise CommandFailed(f"the subject of a {kind} token is an id `{prefix}_…`")
    if kind is not CallerKind.MERCHANT and (store or device):
        raise CommandFailed("only merchant tokens have a store or a device")
    if store is not None and not is_id(store, "sto"):
        raise CommandFailed("a store is an id `sto_…`")
    signed = development_token(
        DevelopmentKey.open(data or settings.data),
        Caller(kind, subject, store_id=store, device=device),
        audience=settings.token_audience,
        now=time.time(),
        lifetime_s=hours * 3_600,
    )
    typer.echo(signed)
