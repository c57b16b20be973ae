"""One replay of coupons from start to end: its server, its tokens, its journal."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path

from gateway.feeding.client import GraphQLClient
from gateway.feeding.server import FeedServer
from gateway.feeding.tokens import FeedTokens
from gateway.replay.coupons.history import CouponHistory
from gateway.replay.coupons.run import CouponOutcome, CouponReplay, first_instant
from gateway.replay.journal import Journal

JOURNAL_FILE = "replay-coupons.db"


async def replay_coupon_history(
    history: CouponHistory, directory: Path, *, on_progress: Callable[[int], None]
) -> CouponOutcome:
    """Replays what the directory's journal does not know yet.

    Args:
        directory: the alliance's data; made when missing.
        on_progress: told how many more baskets are done, those of earlier runs included.

    Raises:
        FeedFailed: an answer does not fit the history.
        ServerGone: the server did not start, or stopped.
    """
    journal = Journal(directory / JOURNAL_FILE)
    server = FeedServer(directory, now=first_instant(history))
    try:
        await asyncio.to_thread(server.wait_until_ready)
        tokens = FeedTokens(directory)
        async with GraphQLClient(server.url) as client:
            return await CouponReplay(
                history,
                client=client,
                journal=journal,
                admin_token=tokens.admin("replay"),
                merchant_token=functools.cache(tokens.merchant),
                set_clock=server.set_clock,
                on_progress=on_progress,
            ).run()
    finally:
        await asyncio.to_thread(server.stop)
        journal.close()
