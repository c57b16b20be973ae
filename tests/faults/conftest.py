from collections.abc import AsyncIterator

import pytest

from tests.ledger.book import Books
from tests.places import Places


@pytest.fixture
async def books(places: Places) -> AsyncIterator[Books]:
    books = await Books.open(places.address("ledger"), lanes=2)
    yield books
    await books.close()
