"""Messages go out signed, and what the receiver answers is understood."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from gateway.alliance.leases import Leases
from gateway.assembly.serving import gateway_app
from gateway.settings import Settings, SettingsInvalid, read_settings
from gateway.webhooks.sender import WebhookSender
from gateway.webhooks.signing import key_of, signed_headers
from kernel.clock import SetClock
from kernel.ids import SeededIds
from ledger.outbox import from_books_sql
from ledger.outbox.delivery import ReceiverAway, Rejected
from ledger.outbox.outbox_sql import Waiting
from tests.builders import START

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
MESSAGE = Waiting(0, 1, "msg_1", "card_1", "ledger.order", '{"type":"ledger.order"}', 0)


class Receiver:
    """Takes posts; answers what the test sets."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status)


@asynccontextmanager
async def received() -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield receiver, f"http://127.0.0.1:{port}/hook"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def sender_to(url: str) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(url, KEY, unix_time=lambda: 1_700_000_000.9, timeout_s=5)
    try:
        yield sender
    finally:
        await sender.aclose()


async def test_a_receiver_can_check_who_sent_it_and_when() -> None:
    async with received() as (receiver, url), sender_to(url) as sender:
        await sender.send(MESSAGE)

    [(headers, body)] = receiver.got
    headers = {name.lower(): value for name, value in headers.items()}
    signed = b"msg_1.1700000000." + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "1700000000")
    assert headers["content-type"] == "application/json"
    assert body == MESSAGE.payload.encode()


def test_the_signature_is_that_of_the_published_example() -> None:
    """From the specification's own test vector."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', unix_time=1614265330
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("status", "raised"),
    [(400, Rejected), (404, Rejected), (500, Rejected), (302, Rejected), (503, ReceiverAway),
     (429, ReceiverAway), (502, ReceiverAway)],
)  # fmt: skip
async def test_an_answer_blames_the_message_or_the_receiver(
    status: int, raised: type[Exception]
) -> None:
    async with received() as (receiver, url), sender_to(url) as sender:
        receiver.status = status
        with pytest.raises(raised, match=str(status)):
            await sender.send(MESSAGE)


async def test_nobody_there_blames_the_receiver() -> None:
    async with sender_to("http://127.0.0.1:9/hook") as sender:
        with pytest.raises(ReceiverAway):
            await sender.send(MESSAGE)


async def test_a_gateway_delivers_while_it_runs_and_closes_in_peace(tmp_path: Path) -> None:
    async with received() as (_, url):
        settings = Settings(data=tmp_path, webhook_url=url, webhook_secret=SECRET)
        app = gateway_app(
            settings, directory=tmp_path, clock=SetClock(START), ids=SeededIds("hook")
        )
        async with app.router.lifespan_context(app):
            assert (tmp_path / "ledger.db").exists()


async def test_the_metrics_of_a_gateway_with_a_webhook_tell_what_waits_for_it(
    tmp_path: Path,
) -> None:
    async def metrics(settings: Settings) -> set[str]:
        directory = settings.data
        app = gateway_app(
            settings, directory=directory, clock=SetClock(START), ids=SeededIds("hook")
        )
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
        ):
            text = (await client.get("/metrics")).text
        return {line for line in text.splitlines() if "message" in line and line[0] != "#"}

    async with received() as (_, url):
        with_webhook = Settings(data=tmp_path / "a", webhook_url=url, webhook_secret=SECRET)
        assert await metrics(with_webhook) == {
            "alliance_waiting_messages 0.0",
            "alliance_parked_messages 0.0",
            "alliance_oldest_message_seconds 0.0",
        }
    assert await metrics(Settings(data=tmp_path / "b")) == set()


async def test_a_gateway_delivers_only_while_it_holds_the_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, made = asyncio.Event(), list[int]()

    async def held_by_another(self: Leases, name: str) -> bool:
        if name == "webhooks":
            asked.set()
        return False

    async with received() as (receiver, url):
        settings = Settings(data=tmp_path, webhook_url=url, webhook_secret=SECRET)
        app = gateway_app(
            settings, directory=tmp_path, clock=SetClock(START), ids=SeededIds("hook")
        )
        monkeypatch.setattr(Leases, "take", held_by_another)
        monkeypatch.setattr(from_books_sql, "is_anything_to_take", lambda _: made.append(1))
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(asked.wait(), 5)

    assert (made, receiver.got) == ([], [])


@pytest.mark.parametrize(
    ("url", "secret", "told"),
    [
        ("http://a", "", "both or neither"),
        ("", SECRET, "both or neither"),
        ("ftp://a", SECRET, "an http or https URL"),
        ("http://a", "whsec_", "24 bytes or more"),
        ("http://a", "secret", "24 bytes or more"),
    ],
)
def test_half_a_webhook_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, secret: str, told: str
) -> None:
    monkeypatch.setenv("ALLIANCE_WEBHOOK_URL", url)
    monkeypatch.setenv("ALLIANCE_WEBHOOK_SECRET", secret)

    with pytest.raises(SettingsInvalid, match=told) as raised:
        read_settings()
    assert "whsec" not in str(raised.value).replace("whsec_ and", "")
