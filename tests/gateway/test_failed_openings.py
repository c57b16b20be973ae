"""An alliance that can not be opened leaves nothing open, which would keep its process alive."""

import threading
from pathlib import Path

import pytest

from gateway.directory.leaving import Leaving
from tests.gateway.alliances import open_alliance


class Stopped(Exception):
    pass


def threads() -> set[threading.Thread]:
    """Those that work on databases."""
    return {each for each in threading.enumerate() if each.name.startswith(("write-", "read-"))}


async def stop(*_: object) -> None:
    raise Stopped


@pytest.mark.sqlite
async def test_an_alliance_that_fails_to_open_leaves_no_database_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leaving, "finish", stop)
    before = threads()

    with pytest.raises(Stopped):
        async with open_alliance(tmp_path):
            pytest.fail("it is open")

    assert threads() == before
