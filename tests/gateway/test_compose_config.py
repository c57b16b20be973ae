from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.compose_config import read_config
from gateway.commands.failures import CommandFailed
from gateway.federation.composition import SubgraphSdl
from tests.transports.raw_server import Exchange, serving

SDL = "type Query { a: Int }"


def config_of(directory: Path, text: str) -> Path:
    config = directory / "subgraphs.toml"
    config.write_text(text)
    return config


async def introspected(
    directory: Path, handler: Callable[[Exchange], Awaitable[None]], **limits: Any
) -> list[SubgraphSdl]:
    """What comes of a configuration with one subgraph that is asked for its SDL."""
    async with serving(handler) as subgraph:
        config = config_of(
            directory,
            f'[[subgraphs]]\nname = "a"\nurl = "{subgraph.url}"\nintrospect = true\n',
        )
        return await asyncio.to_thread(read_config, config, **limits)


def test_an_sdl_is_read_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.graphql").write_text(SDL)
    config = config_of(tmp_path, '[[subgraphs]]\nname = "a"\nurl = "http://a"\nsdl = "a.graphql"\n')

    assert read_config(config) == [SubgraphSdl("a", "http://a", SDL)]


async def test_a_subgraph_is_asked_for_its_sdl(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        assert exchange.body == b'{"query":"{_service{sdl}}"}'
        await exchange.answer(b'{"data":{"_service":{"sdl":"type Query { a: Int }"}}}')

    (subgraph,) = await introspected(tmp_path, answer)

    assert (subgraph.name, subgraph.sdl) == ("a", SDL)
    assert subgraph.url.endswith("/graphql")


async def hang(exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def refuse(exchange: Exchange) -> None:
    await exchange.answer(b'{"errors":[{"message":"who are you?"}]}')


async def answer_something_else(exchange: Exchange) -> None:
    await exchange.answer(b'{"data":{"_service":{"sdl":7}}}')


async def answer_too_much(exchange: Exchange) -> None:
    await exchange.answer(b" " * 2_000)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (hang, "a: Subgraph a did not answer in time."),
        (refuse, "a: it does not answer {_service{sdl}}: who are you?"),
        (answer_something_else, "a: it does not answer {_service{sdl}}: no SDL"),
        (answer_too_much, "a: Subgraph a gave a reply that is too long."),
    ],
)
async def test_a_subgraph_that_does_not_tell_its_sdl_is_named(
    tmp_path: Path, handler: Callable[[Exchange], Awaitable[None]], told: str
) -> None:
    with pytest.raises(CommandFailed) as failed:
        await introspected(tmp_path, handler, timeout_s=0.3, sdl_bytes_max=1_000)

    assert str(failed.value) == f"can not introspect:\n  {told}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no table [[subgraphs]]"),
        ("subgraphs = 1", "has no table [[subgraphs]]"),
        ("= 1", "is no TOML"),
        ("[[subgraphs]]\nurl = 'http://a'", "subgraph 1 needs a `name`"),
        ("[[subgraphs]]\nname = 'a'", "needs either `sdl`, a file, or `introspect = true`"),
        ("[[subgraphs]]\nname = 'a'\nsdl = 'a'\nintrospect = true", "needs either `sdl`"),
        ("[[subgraphs]]\nname = 'a'\nintrospect = true", "needs a `url` to be introspected"),
        ("[[subgraphs]]\nname = 'a'\nsdl = 'a'\ncolour = 1", "not known: colour"),
        ("[[subgraphs]]\nname = 'a'\nsdl = 'none'", "can not read"),
        (
            "[[subgraphs]]\nname = 'a'\nsdl = 'a'\n[[subgraphs]]\nname = 'a'\nsdl = 'a'",
            "names a subgraph twice: a",
        ),
        (
            "[[subgraphs]]\nname = 'a'\nurl = 'ftp://a'\nintrospect = true",
            "a: The URL of a subgraph is http(s)://host[:port]/path.",
        ),
    ],
)
def test_a_configuration_that_is_not_understood_is_told_in_words(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(CommandFailed) as failed:
        read_config(config_of(tmp_path, text))

    assert told in str(failed.value)
