"""Key sets that an identity provider publishes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiohttp import web
from joserfc.jwk import ECKey

from gateway.access.signing_keys import KEY_SET_BYTES_MAX, KeySetUrl, KeysUnavailable

KEY = ECKey.generate_key("P-256", parameters={"kid": "ec"})
KEY_SET = orjson.dumps({"keys": [KEY.as_dict(private=False)]})


@asynccontextmanager
async def provider(status: int, body: bytes) -> AsyncIterator[str]:
    async def answer(_request: web.Request) -> web.Response:
        headers = {"location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)

    application = web.Application()
    application.router.add_get("/keys", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    finally:
        await runner.cleanup()


async def test_a_published_key_set_is_read() -> None:
    async with provider(200, KEY_SET) as url:
        keys = await KeySetUrl(url).read()

    assert set(keys) == {"ec"}
    assert not keys["ec"].is_private


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, KEY_SET),
        (302, KEY_SET),
        (200, b"not a key set"),
        (200, KEY_SET + b" " * KEY_SET_BYTES_MAX),
    ],
)
async def test_a_provider_that_gives_no_key_set_is_told(status: int, body: bytes) -> None:
    async with provider(status, body) as url:
        with pytest.raises(KeysUnavailable):
            await KeySetUrl(url).read()


async def test_a_provider_that_is_gone_is_told() -> None:
    async with provider(200, KEY_SET) as url:
        pass

    with pytest.raises(KeysUnavailable, match="no key set from"):
        await KeySetUrl(url).read()
