from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ledger.book import Books


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    books = await Books.open(tmp_path / "ledger.sqlite")
    yield books
    await books.close()
