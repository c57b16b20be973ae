"""A process that delivers what a ledger tells, and kills itself before it marks one as delivered.

Arguments: the ledger's directory, the receiver's URL, and which delivery of the process is its
last: the receiver has taken it, and the process is gone before the books hear of it. 0 for none.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from gateway.webhooks.sender import WebhookSender
from ledger.outbox.outbox_sql import Waiting
from tests.faults.booker import LEDGER
from tests.ledger.book import Books

KEY = bytes(range(24))


class Courier(WebhookSender):
    """Sends, and is killed once the receiver has taken the last message."""

    left = 0

    async def send(self, message: Waiting) -> None:
        await super().send(message)
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def deliver(directory: Path, url: str, last: int) -> None:
    """Delivers all that can be delivered."""
    books = await Books.open(directory / LEDGER)
    courier = Courier(url, KEY, unix_time=time.time)
    courier.left = last
    await books.subgraph.delivery_to(courier).run_once()
    await courier.aclose()
    await books.close()


if __name__ == "__main__":
    asyncio.run(deliver(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
