from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ledger.book import Books


@pytest.fixture(params=(1, 3), ids=("one lane", "three lanes"))
def lanes(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
async def books(tmp_path: Path, lanes: int) -> AsyncIterator[Books]:
    books = await Books.open(tmp_path / "ledger.sqlite", lanes=lanes)
    yield books
    await books.close()
