from collections.abc import AsyncIterator

import pytest

from tests.ledger.book import Books
from tests.places import Places


@pytest.fixture(params=(1, 3), ids=("one lane", "three lanes"))
def lanes(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
async def books(places: Places, lanes: int) -> AsyncIterator[Books]:
    books = await Books.open(places.address("ledger"), lanes=lanes)
    yield books
    await books.close()
