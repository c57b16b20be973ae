from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.merchants.shop import Shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    opened = await Shop.open(tmp_path)
    yield opened
    await opened.database.close()
