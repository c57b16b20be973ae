"""Which token opens which field: every root field, and what entities guard of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from graphql import build_schema

from tests.journeys.answers import word_of
from tests.journeys.march import SETTINGS
from tests.journeys.town import OPERATIONS, Settled, Town, cny, line, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = build_schema(Path("schema.graphql").read_text(encoding="utf-8"))
CALLERS = ("tea", "books", "ann", "bob", "admin", "nobody")
NONE = "UNAUTHENTICATED"
ADMINS = ("FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "ok", NONE)
MEMBERS = ("FORBIDDEN", "FORBIDDEN", "ok", "ok", "FORBIDDEN", NONE)
ANYONE = ("ok", "ok", "ok", "ok", "ok", NONE)
ANNS = ("ok", "null", "ok", "null", "ok", NONE)
TEAS = ("ok", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "ok", NONE)
TILLS = ("ok", "NOT_FOUND", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", NONE)
RULES = ("ok", "NOT_FOUND", "FORBIDDEN", "FORBIDDEN", "ok", NONE)
"""Answers to the callers in their order; tea, a merchant, and ann, its member, own the thing."""


@dataclass
class Place:
    """A town with one of everything that ann and tea own.

    Attributes:
        ids: of each thing by its kind.
    """

    town: Town
    people: Settled
    ids: dict[str, str]

    def token(self, caller: str) -> str | None:
        people, town = self.people, self.town
        return {
            "tea": lambda: town.merchant(people.tea),
            "web till": lambda: town.merchant(people.tea, people.tea_web),
            "books": lambda: town.merchant(people.books),
            "ann": lambda: town.member(people.ann),
            "bob": lambda: town.member(people.bob),
            "admin": lambda: town.admin,
            "nobody": lambda: None,
        }[caller]()

    def cart(self) -> dict[str, Any]:
        return {
            "storeId": self.people.tea_shop,
            "cardId": self.people.ann_card,
            "lines": [line(1_000)],
            "chooseBest": False,
        }

    async def hold(self) -> str:
        """Id of a new held checkout."""
        till = self.town.merchant(self.people.tea)
        quote = await self.town.query("Quote", till, cart=self.cart())
        held = await self.town.done(
            "HoldCheckout", till, cart=self.cart(), quoteVersion=quote["version"]
        )
        return str(held["checkout"]["id"])

    async def sold(self) -> str:
        """Id of a new order of ann's."""
        return str(
            (
                await self.town.sell(
                    self.people.tea,
                    self.people.tea_shop,
                    self.town.request_id(),
                    1_000,
                    cardId=self.people.ann_card,
                    chooseBest=False,
                )
            )["order"]["id"]
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("tokens")) as town:
        people = await settle(town)
        place = Place(town, people, {})
        till = town.merchant(people.tea)
        template = await town.done("CreateCouponTemplate", till, **TEMPLATE, merchantId=people.tea)
        template_id = template["template"]["id"]
        issued = await town.done(
            "IssueCoupons", till, templateId=template_id, cardIds=[people.ann_card]
        )
        card = (await town.query("MyCard", town.member(people.ann)))["card"]
        [period] = (await _listed_after_a_sale(place))["nodes"]
        place.ids |= {
            "order": await place.sold(),
            "coupon": issued["coupons"][0]["id"],
            "template": template_id,
            "checkout": await place.hold(),
            "membership": card["memberships"]["nodes"][0]["id"],
            "period": period["id"],
            "member": people.ann,
            "card": people.ann_card,
            "merchant": people.tea,
            "store": people.tea_shop,
        }
        yield place


async def _listed_after_a_sale(place: Place) -> Any:
    await place.sold()
    return await place.town.query("Periods", place.town.admin)


TEMPLATE = {
    "title": "减5",
    "kind": "AMOUNT_OFF",
    "amount": cny(500),
    "minSpend": cny(1_000),
    "quotaPerMember": 10,
}
STEPS = [{"name": "新客", "rank": 1, "threshold": 1}]


async def _variables(place: Place, field: str) -> dict[str, Any]:
    """Variables of a request that its owner may send; a new one each time."""
    people, ids, fresh = place.people, place.ids, place.town.request_id()
    queries: dict[str, dict[str, Any]] = {
        "merchant": {"id": people.tea},
        "node": {"id": people.ann_card},
        "identify": {"credential": {"phone": "+8613800000001"}, "storeId": people.tea_shop},
        "quote": {"cart": place.cart()},
        "refundPreview": {"orderId": ids["order"], "amount": cny(1)},
        "clearingPeriod": {"id": ids["period"]},
        "merchants": {},
        "allianceSettings": {},
        "me": {},
        "settlementRules": {},
        "clearingPeriods": {},
    }
    if field in queries:
        return queries[field]
    store = {"reference": fresh, "name": "新店", "channel": "APP"}
    inputs: dict[str, dict[str, Any]] = {
        "join": {
            "storeId": people.tea_shop,
            "credential": {"phone": "+8613800000001"},
            "consents": [],
        },
        "configureAlliance": SETTINGS,
        "admitMerchant": {"reference": fresh, "name": "新", "backend": {"kind": "HOSTED"}},
        "openStore": {"merchantId": people.tea, **store},
        "closePeriod": {"periodId": ids["period"]},
        "setTierLadder": {
            "merchantId": people.tea,
            "name": "次数",
            "metric": "PURCHASE_COUNT",
            "steps": STEPS,
        },
        "createCouponTemplate": {**TEMPLATE, "merchantId": people.tea},
        "issueCoupons": {"templateId": ids["template"], "cardIds": [people.ann_card]},
        "checkout": {"cart": place.cart(), "orderNo": fresh},
    }
    if field not in inputs:
        inputs[field] = await _checkout_input(place, field, fresh)
    return {"input": {"requestId": fresh, **inputs[field]}}


async def _checkout_input(place: Place, field: str, fresh: str) -> dict[str, Any]:
    if field == "refundOrder":
        return {"orderId": await place.sold(), "refundNo": fresh, "amount": cny(1)}
    if field == "holdCheckout":
        till = place.town.merchant(place.people.tea)
        quote = await place.town.query("Quote", till, cart=place.cart())
        return {"cart": place.cart(), "quoteVersion": quote["version"]}
    held = {"checkoutId": await place.hold()}
    return {**held, "orderNo": fresh} if field == "captureCheckout" else held


QUERIES = {
    "merchant": ("query($id: ID!) { merchant(id: $id) { name } }", ANYONE),
    "merchants": (OPERATIONS["Merchants"], ADMINS),
    "allianceSettings": (OPERATIONS["AllianceSettings"], ANYONE),
    "me": ("{ me { card { number } } }", MEMBERS),
    "node": ("query($id: ID!) { node(id: $id) { id ... on Card { number } } }", ANNS),
    "identify": (
        OPERATIONS["Identify"],
        ("ok", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", NONE),
    ),
    "quote": (OPERATIONS["Quote"], TILLS),
    "refundPreview": (OPERATIONS["RefundPreview"], TILLS),
    "settlementRules": (OPERATIONS["SettlementRules"], ADMINS),
    "clearingPeriods": (OPERATIONS["Periods"], ADMINS),
    "clearingPeriod": (OPERATIONS["Period"], ADMINS),
}
MUTATIONS = {
    "join": (
        "Join",
        ("ok", "NOT_FOUND", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", NONE),
    ),
    "configureAlliance": ("ConfigureAlliance", ADMINS),
    "admitMerchant": ("AdmitMerchant", ADMINS),
    "openStore": ("OpenStore", ADMINS),
    "closePeriod": (
        "ClosePeriod",
        (*ADMINS[:4], "PERIOD_NOT_CLOSABLE", NONE),
    ),
    "holdCheckout": ("HoldCheckout", TILLS),
    "extendCheckout": ("ExtendCheckout", TILLS),
    "captureCheckout": ("CaptureCheckout", TILLS),
    "releaseCheckout": ("ReleaseCheckout", TILLS),
    "checkout": ("Checkout", TILLS),
    "refundOrder": ("RefundOrder", TILLS),
    "setTierLadder": ("SetTierLadder", RULES),
    "createCouponTemplate": ("CreateCouponTemplate", RULES),
    "issueCoupons": ("IssueCoupons", RULES),
}
ROOTS = {
    **QUERIES,
    **{field: (OPERATIONS[name], words) for field, (name, words) in MUTATIONS.items()},
}


async def test_every_root_field_is_in_the_table() -> None:
    assert SCHEMA.query_type is not None
    assert SCHEMA.mutation_type is not None
    assert set(QUERIES) == set(SCHEMA.query_type.fields)
    assert set(MUTATIONS) == set(SCHEMA.mutation_type.fields)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("field", sorted(ROOTS))
async def test_a_root_field_opens_to_its_tokens_alone(
    place: Place, field: str, caller: str
) -> None:
    document, words = ROOTS[field]
    variables = await _variables(place, field)
    before = place.town.dump()

    answer = await place.town.gateway.ask(document, token=place.token(caller), **variables)

    expected = words[CALLERS.index(caller)]
    assert word_of(answer) == expected, answer
    if expected in ("FORBIDDEN", NONE):
        assert answer.get("data") in (None, {field: None})
        assert place.town.dump() == before


COUPONS = ("ok", "FORBIDDEN", "ok", "FORBIDDEN", "ok")
"""Only its backend knows whose a coupon is, so its fields are shut, not the node."""
WALLETS = ("FORBIDDEN", "null", "ok", "null", "ok")
ENTITY_FIELDS = [
    ("card", "Card", "entries { nodes { id } }", ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok")),
    (
        "card",
        "Card",
        "displayToken { token }",
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "FORBIDDEN"),
    ),
    (
        "card",
        "Card",
        "memberships { nodes { id } }",
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok"),
    ),
    ("card", "Card", "points { available } coins { available { amountMinor } }", ANNS),
    ("card", "Card", "number status", ANNS),
    ("card", "Card", "allianceWallet { tiers { name } }", WALLETS),
    ("member", "Member", "status displayName joinedVia { channel } card { number }", ANNS),
    ("member", "Member", "identities { masked }", ANNS),
    (
        "member",
        "Member",
        "consents { purpose }",
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok"),
    ),
    ("membership", "Membership", "joinedAt card { number } merchant { id }", ANNS),
    (
        "membership",
        "Membership",
        "wallet { tiers { name } coupons { nodes { code } } orders { nodes { orderNo } } }",
        ANNS,
    ),
    ("order", "Order", "orderNo payable { amountMinor } store { name } lines { sku }", ANNS),
    ("coupon", "Coupon", "code title state", COUPONS),
    ("checkout", "Checkout", "state payable { amountMinor }", ("ok", "null", "null", "null", "ok")),
    ("store", "Store", "name channel state merchant { name }", ANYONE),
    ("merchant", "Merchant", "name state stores { nodes { name } } tierLadders { name }", ANYONE),
    ("merchant", "Merchant", "orders { nodes { orderNo } }", TEAS),
    ("merchant", "Merchant", "couponTemplates { nodes { title } }", TEAS),
    ("merchant", "Merchant", "statements { nodes { net { amountMinor } } }", TEAS),
    ("merchant", "Merchant", "backend { kind }", TEAS),
    ("merchant", "Merchant", "health { state }", TEAS),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("kind", "type_name", "selection", "words"),
    [pytest.param(*row, id=f"{row[1]}.{row[2].split()[0]}") for row in ENTITY_FIELDS],
)
async def test_an_entity_shows_its_fields_to_its_own(
    place: Place, kind: str, type_name: str, selection: str, words: tuple[str, ...], caller: str
) -> None:
    document = f"query($id: ID!) {{ node(id: $id) {{ id ... on {type_name} {{ {selection} }} }} }}"

    answer = await place.town.gateway.ask(document, token=place.token(caller), id=place.ids[kind])

    assert word_of(answer) == (*words, NONE)[CALLERS.index(caller)], answer


async def test_whom_the_merchant_never_met_is_nobody_to_it(place: Place) -> None:
    people, books = place.people, place.token("books")
    document = "query($id: ID!) { node(id: $id) { id } }"
    own = ("card", "member", "membership", "order", "checkout")

    for known in (place.ids[kind] for kind in own):
        assert await place.town.gateway.data(document, token=books, id=known) == {"node": None}
    bobs = await place.town.gateway.data(document, token=books, id=people.bob_card)
    assert bobs == {"node": {"id": people.bob_card}}


@pytest.mark.parametrize("kind", ["card", "member", "membership", "order", "checkout", "coupon"])
async def test_a_foreign_id_looks_like_an_unknown_one(place: Place, kind: str) -> None:
    type_name = kind.capitalize()
    field = {"card": "number", "member": "displayName", "membership": "joinedAt"}.get(
        kind, {"order": "orderNo", "coupon": "code"}.get(kind, "state")
    )
    document = f"query($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {field} }} }} }}"
    foreign = place.ids[kind]
    unknown = foreign[:-4] + ("0000" if not foreign.endswith("0000") else "1111")

    answers = [
        await place.town.gateway.ask(document, token=place.token("books"), id=each)
        for each in (foreign, unknown)
    ]

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "field",
    ["extendCheckout", "captureCheckout", "releaseCheckout", "refundOrder", "issueCoupons"],
)
async def test_a_change_of_a_foreign_thing_is_refused_like_one_of_an_unknown(
    place: Place, field: str
) -> None:
    document = ROOTS[field][0]
    foreign = (await _variables(place, field))["input"]
    named = next(key for key in ("checkoutId", "orderId", "templateId") if key in foreign)
    unknown = {**foreign, named: foreign[named][:-4] + "0000", "requestId": "unknown-" + field}
    before = place.town.dump()

    told = []
    for each in (foreign, unknown):
        answer = await place.town.gateway.data(document, token=place.token("books"), input=each)
        told.append(str(answer).replace(each[named], "…"))

    assert told[0] == told[1]
    assert _without_requests(place.town.dump()) == _without_requests(before)


@pytest.mark.parametrize(
    "field", ["holdCheckout", "captureCheckout", "extendCheckout", "releaseCheckout", "refundOrder"]
)
async def test_a_till_of_one_store_leaves_the_other_stores_alone(place: Place, field: str) -> None:
    variables = await _variables(place, field)

    answer = await place.town.gateway.ask(
        ROOTS[field][0], token=place.token("web till"), **variables
    )

    assert word_of(answer) == "NOT_FOUND"


def _without_requests(dump: dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: rows for table, rows in dump.items() if not table.endswith(":request")}
