"""An event loop whose time passes at once: what waits for ten seconds goes on immediately.

Nothing in it depends on the machine, so the same seed runs the same way.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Moves its clock to the next thing that is due."""

    def __init__(self) -> None:
        self.virtual_now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.virtual_now


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits for nothing"
        self._loop.virtual_now += max(timeout, 0.0)
        return super().select(0)


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; no thread and no real time takes part."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
