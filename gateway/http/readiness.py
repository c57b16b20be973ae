"""Whether a server can be sent requests: it is open, and its databases answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kernel.database import Database

ANSWERS_WITHIN_S = 2.0


class Readiness:
    """Looks whether databases answer; those who ask while it looks wait for the same look."""

    def __init__(self) -> None:
        self._databases: Mapping[str, Database] = {}
        self._look: asyncio.Task[Mapping[str, bool]] | None = None

    def watch(self, databases: Mapping[str, Database]) -> None:
        """Looks at these from now on, by name."""
        self._databases = databases

    async def databases(self) -> Mapping[str, bool]:
        """Whether each database answers a small read within `ANSWERS_WITHIN_S`."""
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(_look_at(self._databases))
        # Whoever goes away leaves the look to the others.
        return await asyncio.shield(self._look)


async def _look_at(databases: Mapping[str, Database]) -> Mapping[str, bool]:
    answers = await asyncio.gather(
        *(database.answers_within(ANSWERS_WITHIN_S) for database in databases.values())
    )
    return dict(zip(databases, answers, strict=True))
