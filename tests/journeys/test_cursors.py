"""Pages through the API: cursors lead on without gaps, and forged ones do no harm."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.place import Place, furnish
from tests.journeys.town import town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEYOND = 2**63 + 5
FORGED: list[list[Any]] = [
    [],
    [BEYOND],
    [BEYOND, 0],
    [0, BEYOND],
    [-BEYOND, 0],
    [BEYOND, "x"],
    ["x", BEYOND],
    [None],
    [None, None],
    ["x"],
    ["x", "y"],
    [1, 2],
    [True, False],
    [1.5, 2],
    [[1], {}],
    ["\x00", "\x00"],
    ["x"] * 3,
]
ENTRIES = "me { card { entries(first: 3, after: $after) { nodes { id } pageInfo { %s } } } }"
LISTS = {
    "entries": ("ann", "me { card { entries(after: $after) { nodes { id } } } }"),
    "memberships": ("ann", "me { card { memberships(after: $after) { nodes { id } } } }"),
    "coupons": (
        "ann",
        "me { card { memberships { nodes { wallet "
        "{ coupons(after: $after) { nodes { id } } } } } } }",
    ),
    "orders of a wallet": (
        "ann",
        "me { card { memberships { nodes { wallet "
        "{ orders(after: $after) { nodes { id } } } } } } }",
    ),
    "merchants": ("admin", "merchants(after: $after) { nodes { id } }"),
    "periods": ("admin", "clearingPeriods(after: $after) { nodes { id } }"),
    "rules": ("admin", "settlementRules(after: $after) { nodes { id } }"),
    "statements of a period": (
        "admin",
        "clearingPeriods { nodes { statements(after: $after) { nodes { id } } } }",
    ),
    "stores": ("tea", "merchant(id: $tea) { stores(after: $after) { nodes { id } } }"),
    "orders": ("tea", "merchant(id: $tea) { orders(after: $after) { nodes { id } } }"),
    "templates": ("tea", "merchant(id: $tea) { couponTemplates(after: $after) { nodes { id } } }"),
    "statements": ("tea", "merchant(id: $tea) { statements(after: $after) { nodes { id } } }"),
    "legs": (
        "tea",
        "merchant(id: $tea) { statements { nodes { entries(after: $after) { nodes { id } } } } }",
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("cursors")) as town:
        yield await furnish(town)


async def _ask(place: Place, caller: str, selection: str, after: str | None) -> Any:
    own = "$tea: ID!, " if "$tea" in selection else ""
    given = {"tea": place.people.tea} if own else {}
    document = f"query({own}$after: String) {{ {selection} }}"
    return await place.town.gateway.ask(document, token=place.token(caller), after=after, **given)


@pytest.mark.parametrize("name", sorted(LISTS))
async def test_a_forged_cursor_is_bad_input_or_an_honest_page(place: Place, name: str) -> None:
    caller, selection = LISTS[name]
    words = []
    for values in FORGED:
        cursor = base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
        answer = await _ask(place, caller, selection, cursor)
        words += [error["extensions"]["code"] for error in answer.get("errors", [])]

    assert set(words) == {"BAD_USER_INPUT"}


async def test_pages_of_a_history_have_no_gaps_and_no_repeats(place: Place) -> None:
    for _ in range(6):
        await place.sold()
    whole = (await _ask(place, *LISTS["entries"], None))["data"]["me"]["card"]["entries"]
    seen: list[str] = []
    after, has_next = None, True
    while has_next:
        answer = await _ask(place, "ann", ENTRIES % "hasNextPage endCursor", after)
        page = answer["data"]["me"]["card"]["entries"]
        seen += [node["id"] for node in page["nodes"]]
        after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        await place.sold()
        assert len(seen) < 100

    assert seen == [node["id"] for node in whole["nodes"]]
    assert len(seen) == len(set(seen)) == 8
