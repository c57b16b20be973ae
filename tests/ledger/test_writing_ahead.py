"""Statements that run on another thread while a batch is decided."""

import threading

import pytest

from ledger.writing_ahead import WritingAhead


def test_jobs_run_in_the_order_in_which_they_were_put() -> None:
    ahead, done = WritingAhead(), []

    for number in range(50):
        ahead.put(lambda number=number: done.append(number))
    ahead.settle()

    assert done == list(range(50))
    ahead.close()


def test_nothing_runs_behind_a_job_that_failed() -> None:
    ahead, done = WritingAhead(), []

    ahead.put(lambda: done.append(1) or 1 // 0)
    ahead.put(lambda: done.append(2))

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            ahead.settle()
    ahead.close()
    assert done == [1]


def test_its_thread_ends_with_it() -> None:
    before, ahead = threading.active_count(), WritingAhead()

    ahead.close()
    ahead.put(lambda: None)
    assert threading.active_count() == before + 1
    ahead.close()

    assert threading.active_count() == before


def test_a_job_that_failed_is_forgotten_once_it_is_closed() -> None:
    ahead, done = WritingAhead(), []
    ahead.put(lambda: 1 // 0)
    ahead.close()

    ahead.put(lambda: done.append(1))
    ahead.settle()

    assert done == [1]
    ahead.close()
