"""One replay from start to end: its server, its tokens, its journal."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.feeding.client import GraphQLClient
from gateway.feeding.server import FeedServer, set_clocks
from gateway.feeding.tokens import FeedTokens
from gateway.replay.history import History, HistoryUnreadable
from gateway.replay.journal import Journal
from gateway.replay.run import Outcome, Replay
from gateway.replay.setting_up import TIME_ZONE

JOURNAL_FILE = "replay.db"


async def replay_history(
    history: History,
    directory: Path,
    *,
    on_progress: Callable[[int], None],
    with_tiers: bool = False,
    gateways: int = 1,
) -> Outcome:
    """Replays what the directory's journal does not know yet, and reads every figure.

    Args:
        directory: the alliance's data; made when missing.
        on_progress: told how many more events are done, those of earlier runs included.
        with_tiers: also read every member's tiers at every merchant.
        gateways: how many servers share the work; several need every database on PostgreSQL.

    Raises:
        FeedFailed: an answer does not fit the history.
        ServerGone: the server did not start, or stopped.
        HistoryUnreadable: the history has no orders.
    """
    if not history.days:
        raise HistoryUnreadable("the history has no orders of these merchants")
    journal = Journal(directory / JOURNAL_FILE)
    start = datetime.combine(history.days[0].day, time(0), tzinfo=ZoneInfo(TIME_ZONE))
    now = start.astimezone(UTC)
    servers: list[FeedServer] = []
    try:
        for _ in range(gateways):
            servers.append(FeedServer(directory, now=now, runs=gateways > 1))
        for server in servers:
            await asyncio.to_thread(server.wait_until_ready)
        tokens = FeedTokens(directory)
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(GraphQLClient(server.url)) for server in servers
            ]
            on_progress(sum(journal.read("day").values()))
            return await Replay(
                history,
                clients=clients,
                journal=journal,
                admin_token=tokens.admin("replay"),
                merchant_token=functools.cache(tokens.merchant),
                set_clock=functools.partial(set_clocks, servers),
                on_progress=on_progress,
                with_tiers=with_tiers,
            ).run()
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)
        journal.close()
