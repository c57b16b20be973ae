"""A process that upgrades a ledger's database and kills itself, for real, at its nth statement.

Arguments: the database's address, the number of the statement. Ends by itself when there are fewer.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from sqlalchemy import Engine, event

from kernel.database import open_database
from ledger.migrations import HISTORY


async def main(address: str, last: int) -> None:
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1
        if counted == last:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", count)
    await (await open_database(address, HISTORY)).close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
