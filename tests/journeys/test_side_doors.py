"""What is shut at the front stays shut on the way through other entities."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.place import Place, furnish
from tests.journeys.town import town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_TEA = "merchant(id: $tea)"
PERIOD = f"{AT_TEA} {{ statements {{ nodes {{ period"
OWN_ORDER = "node(id: $order) { ... on Order"
ANNS_ENTRIES = "me { card { entries { nodes { merchant"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("doors")) as town:
        place = await furnish(town)
        people = place.people
        for merchant_id, store_id, member_id in (
            (people.tea, people.tea_shop, people.bob),
            (people.books, people.books_shop, people.ann),
        ):
            number = await town.card_number(member_id)
            await town.join(merchant_id, store_id, cardNumber=number)
        await town.sell(people.books, people.books_shop, "B-1", 5_000, cardId=people.ann_card)
        yield place


def _document(selection: str) -> str:
    """A query of one root field; what is open is closed at the end."""
    closed = selection + " }" * (selection.count("{") - selection.count("}"))
    known = ("tea", "books", "order", "store", "bob", "card")
    variables = ", ".join(f"${name}: ID!" for name in known if f"${name}" in closed)
    return f"query({variables}) {{ {closed} }}" if variables else f"{{ {closed} }}"


async def _ask(place: Place, caller: str, selection: str) -> dict[str, object]:
    people = place.people
    named = {
        "tea": people.tea,
        "books": people.books,
        "order": place.ids["order"],
        "store": people.books_shop,
        "bob": people.bob,
        "card": people.ann_card,
    }
    document = _document(selection)
    given = {name: value for name, value in named.items() if f"${name}:" in document}
    return await place.town.gateway.ask(document, token=place.token(caller), **given)


@pytest.mark.parametrize(
    ("caller", "selection", "word"),
    [
        ("tea", f"{PERIOD} {{ id state zeroSum", "ok"),
        ("tea", f"{PERIOD} {{ alliance {{ amountMinor", "FORBIDDEN"),
        ("tea", f"{PERIOD} {{ pool {{ balanced", "FORBIDDEN"),
        ("tea", f"{PERIOD} {{ statements {{ nodes {{ net {{ amountMinor", "FORBIDDEN"),
        ("tea", f"{PERIOD} {{ statement(merchantId: $books) {{ net {{ amountMinor", "FORBIDDEN"),
        ("tea", f"{PERIOD} {{ statement(merchantId: $tea) {{ net {{ amountMinor", "ok"),
        ("tea", "merchant(id: $books) { statements { nodes { net { amountMinor", "FORBIDDEN"),
        ("tea", "node(id: $store) { ... on Store { merchant { orders { nodes { id", "FORBIDDEN"),
        ("tea", "node(id: $store) { ... on Store { merchant { health { state", "FORBIDDEN"),
        ("tea", "allianceSettings { merchant { orders { nodes { id", "FORBIDDEN"),
        ("tea", "allianceSettings { merchant { couponTemplates { nodes { id", "FORBIDDEN"),
        ("tea", "allianceSettings { merchant { statements { nodes { id", "FORBIDDEN"),
        ("tea", f"{OWN_ORDER} {{ membership {{ card {{ number points {{ available", "ok"),
        ("tea", f"{OWN_ORDER} {{ membership {{ card {{ entries {{ nodes {{ id", "FORBIDDEN"),
        ("tea", f"{OWN_ORDER} {{ membership {{ card {{ memberships {{ nodes {{ id", "FORBIDDEN"),
        ("tea", f"{OWN_ORDER} {{ membership {{ card {{ displayToken {{ token", "FORBIDDEN"),
        (
            "tea",
            f"{OWN_ORDER} {{ membership {{ card {{ allianceWallet {{ tiers {{ name",
            "FORBIDDEN",
        ),
        ("ann", f"{ANNS_ENTRIES} {{ name stores {{ nodes {{ name", "ok"),
        ("ann", f"{ANNS_ENTRIES} {{ orders {{ nodes {{ id", "FORBIDDEN"),
        ("ann", f"{ANNS_ENTRIES} {{ statements {{ nodes {{ id", "FORBIDDEN"),
        ("ann", f"{ANNS_ENTRIES} {{ couponTemplates {{ nodes {{ id", "FORBIDDEN"),
        ("ann", f"{OWN_ORDER} {{ store {{ merchant {{ backend {{ kind", "FORBIDDEN"),
        ("admin", "allianceSettings { merchant { orders { nodes { id", "ok"),
        ("admin", "node(id: $card) { ... on Card { displayToken { token", "ok"),
    ],
)
async def test_a_way_round_ends_at_the_same_rule(
    place: Place, caller: str, selection: str, word: str
) -> None:
    answer = await _ask(place, caller, selection)

    assert word_of(answer) == word, answer


async def test_each_merchant_lists_its_own_orders_alone(place: Place) -> None:
    own = await _ask(place, "books", "merchant(id: $books) { orders { nodes { orderNo")
    teas = await _ask(place, "tea", "merchant(id: $tea) { orders { nodes { orderNo")

    assert own["data"] == {"merchant": {"orders": {"nodes": [{"orderNo": "B-1"}]}}}
    assert "B-1" not in str(teas)


async def test_a_merchant_learns_of_a_member_what_it_told_itself(place: Place) -> None:
    """Bob joined at books with a phone; tea met him by his card."""
    selection = (
        "node(id: $bob) { ... on Member { status displayName joinedVia { channel } "
        "identities { kind assertedBy { id } } } }"
    )

    tea = await _ask(place, "tea", selection)
    books = await _ask(place, "books", selection)

    assert tea["data"] == {
        "node": {"status": "ACTIVE", "displayName": None, "joinedVia": None, "identities": []}
    }
    assert books["data"] == {
        "node": {
            "status": "ACTIVE",
            "displayName": None,
            "joinedVia": {"channel": "STORE_POS"},
            "identities": [{"kind": "PHONE", "assertedBy": {"id": place.people.books}}],
        }
    }


async def test_a_member_sees_its_orders_at_every_merchant(place: Place) -> None:
    answer = await _ask(
        place,
        "ann",
        "me { card { memberships { nodes { merchant { id } wallet { orders { nodes { orderNo",
    )

    assert "errors" not in answer
    told = str(answer["data"])
    assert "B-1" in told
    assert place.people.tea in told
