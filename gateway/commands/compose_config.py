"""Reads the file that names the subgraphs to compose, and has those asked that have no SDL."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.commands.failures import CommandFailed
from gateway.federation.composition import SubgraphSdl
from gateway.federation.transport import CallContext, SubgraphRequest, TransportFailed
from gateway.transports.http import HttpTransport

INTROSPECTION_TIMEOUT_S = 10.0
SDL_BYTES_MAX = 10 * 1024 * 1024
_ENTRIES = frozenset({"name", "url", "sdl", "introspect"})


@dataclass(frozen=True, slots=True)
class _Named:
    """A subgraph as the file names it; without `sdl` it is asked."""

    name: str
    url: str
    sdl: Path | None


def read_config(
    config: Path, *, timeout_s: float = INTROSPECTION_TIMEOUT_S, sdl_bytes_max: int = SDL_BYTES_MAX
) -> list[SubgraphSdl]:
    """The subgraphs that a configuration file names.

    Args:
        timeout_s: longest wait for the subgraphs that are asked, all at once.
        sdl_bytes_max: longest answer that is taken from one.

    Raises:
        CommandFailed: the file is not understood, or a subgraph's SDL can not be had; names all
            subgraphs that did not answer.
    """
    named = _named(config)
    wanted = [one for one in named if one.sdl is None]
    asked = asyncio.run(_asked(wanted, timeout_s, sdl_bytes_max)) if wanted else {}
    return [
        SubgraphSdl(one.name, one.url, _read(one.sdl) if one.sdl else asked[one.name])
        for one in named
    ]


def _named(config: Path) -> list[_Named]:
    try:
        given = tomllib.loads(config.read_text(encoding="utf-8")).get("subgraphs")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{config} is no TOML: {error}") from error
    if isinstance(given, dict):
        tables: Any = [
            {"name": name, **table} if isinstance(table, dict) else table
            for name, table in given.items()
        ]
    else:
        tables = given
    if not isinstance(tables, list) or not tables:
        raise CommandFailed(f"{config} has no table [[subgraphs]]")
    named = [_one(config, number, table) for number, table in enumerate(tables, start=1)]
    names = [one.name for one in named]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise CommandFailed(f"{config} names a subgraph twice: {', '.join(repeated)}")
    return named


def _one(config: Path, number: int, table: Any) -> _Named:
    where = f"{config}: subgraph {number}"
    if not isinstance(table, dict) or not isinstance(table.get("name"), str) or not table["name"]:
        raise CommandFailed(f"{where} needs a `name`")
    where = f"{config}: subgraph {table['name']}"
    if unknown := sorted(set(table) - _ENTRIES):
        raise CommandFailed(f"{where} has entries that are not known: {', '.join(unknown)}")
    url, sdl, introspect = table.get("url", ""), table.get("sdl"), table.get("introspect", False)
    if not isinstance(url, str):
        raise CommandFailed(f"{where}: `url` is a text")
    if introspect is True and sdl is None:
        if not url:
            raise CommandFailed(f"{where} needs a `url` to be introspected")
        return _Named(table["name"], url, None)
    if introspect is not False or not isinstance(sdl, str):
        raise CommandFailed(f"{where} needs either `sdl`, a file, or `introspect = true`")
    return _Named(table["name"], url, config.parent / sdl)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"can not read {file}: {error}") from error


async def _asked(wanted: list[_Named], timeout_s: float, bytes_max: int) -> Mapping[str, str]:
    found = await asyncio.gather(*(_ask(one, timeout_s, bytes_max) for one in wanted))
    failed = [f"  {one.name}: {why}" for one, (_, why) in zip(wanted, found, strict=True) if why]
    if failed:
        raise CommandFailed("\n".join(["can not introspect:", *failed]))
    return {one.name: sdl for one, (sdl, _) in zip(wanted, found, strict=True)}


async def _ask(named: _Named, timeout_s: float, bytes_max: int) -> tuple[str, str]:
    """The SDL of a subgraph, or else why there is none."""
    try:
        transport = HttpTransport(
            named.url, name=named.name, timeout_s=timeout_s, reply_bytes_max=bytes_max
        )
    except ValueError as error:
        return "", str(error)
    try:
        request = SubgraphRequest("{_service{sdl}}", "query", {})
        reply = await transport.execute(request, CallContext())
    except TransportFailed as failure:
        return "", str(failure)
    finally:
        await transport.aclose()
    service = (reply.data or {}).get("_service")
    sdl = service.get("sdl") if isinstance(service, dict) else None
    if isinstance(sdl, str):
        return sdl, ""
    told = reply.errors[0].get("message") if reply.errors else None
    return "", f"it does not answer {{_service{{sdl}}}}: {told or 'no SDL'}"
