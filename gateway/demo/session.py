"""Makes the invented alliance in a data directory, once."""

from __future__ import annotations

import asyncio
import functools
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from gateway.demo.events import DAYS, invented_members
from gateway.demo.fill import ZONE, Filled, Filling
from gateway.demo.merchants import MERCHANTS
from gateway.feeding.client import GraphQLClient
from gateway.feeding.server import FeedServer
from gateway.feeding.tokens import FeedTokens

GUIDE_FILE = "demo.json"
GUIDED_MERCHANT = "TEA"
GUIDED_MEMBER = 1


@dataclass(frozen=True, slots=True)
class Guide:
    """Ids to begin with.

    Attributes:
        member_id: a member of many merchants.
        card_number: the number on the card, as a till would scan it.
        sku: an article of the merchant, which costs `price_minor`.
    """

    member_id: str
    member_name: str
    card_number: str
    card_id: str
    merchant_id: str
    merchant_name: str
    store_id: str
    sku: str
    price_minor: int


def read_guide(directory: Path) -> Guide | None:
    """The guide of an invented alliance that was made before; None when there is none."""
    path = directory / GUIDE_FILE
    return Guide(**orjson.loads(path.read_bytes())) if path.exists() else None


def make_alliance(directory: Path, *, now: datetime, on_progress: Callable[[int], None]) -> Guide:
    """An invented alliance whose two years end on the day of `now`.

    It is made beside `directory` and moved there when it is whole, so that a start that was cut
    off leaves nothing half-made.

    Raises:
        FeedFailed: the gateway refused what was invented.
        ServerGone: the server did not start, or stopped.
    """
    making = directory.with_name(f"{directory.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    until = now.astimezone(ZONE).date()
    filled = asyncio.run(_fill(making, until, on_progress))
    guide = _guide(filled)
    (making / GUIDE_FILE).write_bytes(orjson.dumps(asdict(guide)))
    making.rename(directory)
    return guide


async def _fill(directory: Path, until: date, on_progress: Callable[[int], None]) -> Filled:
    start = datetime.combine(until, datetime.min.time(), tzinfo=ZONE) - timedelta(days=DAYS)
    server = FeedServer(directory, now=start.astimezone(UTC))
    try:
        await asyncio.to_thread(server.wait_until_ready)
        tokens = FeedTokens(directory)
        async with GraphQLClient(server.url) as client:
            return await Filling(
                client,
                admin_token=tokens.admin("demo"),
                merchant_token=functools.cache(tokens.merchant),
                set_clock=server.set_clock,
                on_progress=on_progress,
            ).fill(until)
    finally:
        await asyncio.to_thread(server.stop)


def _guide(filled: Filled) -> Guide:
    member = next(known for known in invented_members() if known.number == GUIDED_MEMBER)
    merchant = next(shop for shop in MERCHANTS if shop.reference == GUIDED_MERCHANT)
    article = merchant.articles[0]
    return Guide(
        member_id=filled.members[member.number],
        member_name=member.name,
        card_number=filled.numbers[member.number],
        card_id=filled.cards[member.number],
        merchant_id=filled.merchants[merchant.reference],
        merchant_name=f"{merchant.name} {merchant.name_en}",
        store_id=filled.stores[merchant.reference, merchant.channels[0]],
        sku=article.sku,
        price_minor=article.price_minor,
    )


def variables_to_try(guide: Guide) -> dict[str, Any]:
    """Variables for the operations that the guide suggests, by operation."""
    line = {
        "sku": guide.sku,
        "quantity": 2,
        "unitPrice": {"amountMinor": guide.price_minor, "currency": "CNY"},
    }
    return {
        "Identify": {"credential": {"cardNumber": guide.card_number}, "storeId": guide.store_id},
        "Quote": {
            "cart": {"storeId": guide.store_id, "cardId": guide.card_id, "lines": [line]},
        },
    }
