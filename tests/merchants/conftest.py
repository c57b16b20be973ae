from collections.abc import AsyncIterator

import pytest

from tests.merchants.shop import Shop
from tests.places import Places


@pytest.fixture
async def shop(places: Places) -> AsyncIterator[Shop]:
    opened = await Shop.open(places.address("merchants"))
    yield opened
    await opened.database.close()
