"""Runs a batch's statements on another thread while the batch is still decided.

SQLite works without Python's lock, so one processor writes what is final while another decides.
The two never use the connection at once: who wants it waits for what was put first.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class WritingAhead:
    """Jobs that run in the order in which they were put, one at a time.

    Its thread lives from the first job to `close`.
    """

    def __init__(self) -> None:
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def put(self, job: Job) -> None:
        """Lets the job run behind those before it; not at all when one of them failed."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="write-ahead")
            thread.start()
            self._thread = thread
        self._jobs.put(job)

    def settle(self) -> None:
        """Returns when every job has run.

        Raises:
            BaseException: what the first job that failed raised, each time.
        """
        self._jobs.join()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Returns when no job runs any more; what failed stays untold."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None
            self._error = None

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            # SQLite gives a transaction up when the disk is full: nothing may follow.
            if self._error is None:
                try:
                    job()
                except BaseException as error:  # noqa: BLE001 - it belongs to who waits.
                    self._error = error
            self._jobs.task_done()
        self._jobs.task_done()  # The end is a job, too: who settles later does not wait for it.
