"""Which token opens which field: every root field, and what entities guard of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from graphql import build_schema

from tests.journeys.answers import word_of
from tests.journeys.place import Place, furnish
from tests.journeys.requests import variables_of
from tests.journeys.town import OPERATIONS, town_at

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
ANNS_OWN = ("FORBIDDEN", "FORBIDDEN", "ok", "NOT_FOUND", "FORBIDDEN", NONE)
OWN_DRAFT = ("STATEMENT_STATE", "NOT_FOUND", "FORBIDDEN", "FORBIDDEN", "FORBIDDEN", NONE)
RULES = ("ok", "NOT_FOUND", "FORBIDDEN", "FORBIDDEN", "ok", NONE)
"""Answers to the callers in their order; tea, a merchant, and ann, its member, own the thing."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("tokens")) as town:
        yield await furnish(town)


SIMULATE = (
    "query($draft: SettlementTermsInput!, $from: DateTime!, $to: DateTime!) "
    "{ simulateSettlementRule(draft: $draft, from: $from, to: $to) { __typename } }"
)
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
    "simulateSettlementRule": (SIMULATE, ADMINS),
    "clearingPeriods": (OPERATIONS["Periods"], ADMINS),
    "parkedMessages": (OPERATIONS["ParkedMessages"], ADMINS),
    "parkedEvents": (OPERATIONS["ParkedEvents"], ADMINS),
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
    "changeMerchantState": ("ChangeMerchantState", ADMINS),
    "closePeriod": (
        "ClosePeriod",
        (*ADMINS[:4], "PERIOD_NOT_CLOSABLE", NONE),
    ),
    "grantCoins": ("GrantCoins", ADMINS),
    "proposeSettlementRule": ("ProposeSettlementRule", ADMINS),
    "approveSettlementRule": ("ApproveSettlementRule", ADMINS),
    "resumeMessage": ("ResumeMessage", ADMINS),
    "resumeEvent": ("ResumeEvent", ADMINS),
    "confirmStatement": ("ConfirmStatement", OWN_DRAFT),
    "disputeStatement": ("DisputeStatement", OWN_DRAFT),
    "resolveDispute": ("ResolveDispute", (*ADMINS[:4], "STATEMENT_STATE", NONE)),
    "recordPayment": ("RecordPayment", (*ADMINS[:4], "STATEMENT_STATE", NONE)),
    "recordDeposit": ("RecordDeposit", ADMINS),
    "returnDeposit": ("ReturnDeposit", ADMINS),
    "holdCheckout": ("HoldCheckout", TILLS),
    "extendCheckout": ("ExtendCheckout", TILLS),
    "captureCheckout": ("CaptureCheckout", TILLS),
    "releaseCheckout": ("ReleaseCheckout", TILLS),
    "checkout": ("Checkout", TILLS),
    "refundOrder": ("RefundOrder", TILLS),
    "setTierLadder": ("SetTierLadder", RULES),
    "createCouponTemplate": ("CreateCouponTemplate", RULES),
    "issueCoupons": ("IssueCoupons", RULES),
    "setCouponTemplateState": ("SetCouponTemplateState", RULES),
    "voidCoupons": ("VoidCoupons", RULES),
    "shareCoupon": ("ShareCoupon", ANNS_OWN),
    "takeBackCoupon": ("TakeBackCoupon", ANNS_OWN),
    "claimCoupon": (
        "ClaimCoupon",
        ("ok", "NOT_FOUND", "INVALID_INPUT", "INVALID_INPUT", "FORBIDDEN", NONE),
    ),
    "setPromotion": ("SetPromotion", RULES),
    "setPricingPolicy": ("SetPricingPolicy", RULES),
    "setTierPolicy": ("SetTierPolicy", RULES),
    "setAllianceWeights": ("SetAllianceWeights", ADMINS),
    "setGrowthTask": ("SetGrowthTask", RULES),
    "recordTask": ("RecordTask", RULES),
    "setPaidPlan": ("SetPaidPlan", RULES),
    "sellPaidMembership": ("SellPaidMembership", RULES),
    "refundPaidMembership": ("RefundPaidMembership", RULES),
    "requestVerificationCode": (
        "RequestVerificationCode",
        ("ok", "ok", "ok", "ok", "FORBIDDEN", NONE),
    ),
    "linkIdentity": (
        "LinkIdentity",
        ("FORBIDDEN", "FORBIDDEN", "ok", "NOT_FOUND", "FORBIDDEN", NONE),
    ),
    "setConsent": ("SetConsent", MEMBERS),
    "replaceCard": (
        "ReplaceCard",
        ("FORBIDDEN", "FORBIDDEN", "ok", "NOT_FOUND", "ok", NONE),
    ),
    "freezeMember": ("FreezeMember", ADMINS),
    "mergeMembers": ("MergeMembers", ADMINS),
    "unmergeMembers": ("UnmergeMembers", ADMINS),
    "eraseMember": (
        "EraseMember",
        ("FORBIDDEN", "FORBIDDEN", "NOT_FOUND", "NOT_FOUND", "ok", NONE),
    ),
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
    variables = await variables_of(place, field)
    before = place.town.dump()

    answer = await place.town.gateway.ask(document, token=place.token(caller), **variables)

    expected = words[CALLERS.index(caller)]
    assert word_of(answer) == expected, answer
    if expected in ("FORBIDDEN", NONE):
        assert answer.get("data") in (None, {field: None})
        assert place.town.dump() == before


WALLETS = ("FORBIDDEN", "null", "ok", "null", "ok")
ENTITY_FIELDS = [
    ("card", "Card", "entries { nodes { id } }", ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok")),
    (
        "card",
        "Card",
        'balanceAsOf(at: "2026-03-01T00:00:00Z") { points }',
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok"),
    ),
    (
        "card",
        "Card",
        "displayToken { token }",
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok"),
    ),
    (
        "card",
        "Card",
        "expiryNotices { nodes { points } }",
        ("FORBIDDEN", "FORBIDDEN", "ok", "null", "ok"),
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
    ("member", "Member", "status joinedVia { channel } card { number }", ANNS),
    ("member", "Member", "displayName", ("CONSENT_REQUIRED", "null", "ok", "null", "ok")),
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
    ("coupon", "Coupon", "code title state", ANNS),
    ("checkout", "Checkout", "state payable { amountMinor }", ("ok", "null", "null", "null", "ok")),
    ("store", "Store", "name channel state merchant { name }", ANYONE),
    ("merchant", "Merchant", "name state stores { nodes { name } } tierLadders { name }", ANYONE),
    ("merchant", "Merchant", "redeemUntil depositHeldUntil", ANYONE),
    ("merchant", "Merchant", "orders { nodes { orderNo } }", TEAS),
    ("merchant", "Merchant", 'order(orderNo: "nothing") { id }', TEAS),
    ("merchant", "Merchant", "couponTemplates { nodes { title } }", TEAS),
    ("merchant", "Merchant", "statements { nodes { net { amountMinor } } }", TEAS),
    ("merchant", "Merchant", 'netAsOf(at: "2026-03-01T00:00:00Z") { amountMinor }', TEAS),
    ("merchant", "Merchant", "deposit { balance { amountMinor } issuingAllowed }", TEAS),
    ("merchant", "Merchant", "liability { lines { issued } }", TEAS),
    ("merchant", "Merchant", "backend { kind }", TEAS),
    ("merchant", "Merchant", "health { state }", TEAS),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize(
    ("kind", "type_name", "selection", "words"),
    [pytest.param(*row, id=f"{row[1]}.{row[2].split()[0].split('(')[0]}") for row in ENTITY_FIELDS],
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
    foreign = (await variables_of(place, field))["input"]
    named = next(key for key in ("checkoutId", "orderId", "templateId") if key in foreign)
    unknown = {**foreign, named: foreign[named][:-4] + "0000", "requestId": "unknown-" + field}
    before = place.town.dump()

    told = []
    for each in (foreign, unknown):
        answer = await place.town.gateway.data(document, token=place.token("books"), input=each)
        told.append(str(answer).replace(each[named], "…"))

    assert told[0] == told[1]
    assert _without_requests(place.town.dump()) == _without_requests(before)


async def test_a_foreign_coupon_prices_like_an_unknown_one(place: Place) -> None:
    """Tea's coupon of ann, in a cart of another member of tea."""
    people, town = place.people, place.town
    _, card_id = await town.join(people.tea, people.tea_shop, phone=place.phone())
    foreign = place.ids["coupon"]
    unknown = foreign[:-4] + "0000"

    told = []
    for coupon_id in (foreign, unknown):
        cart = {**place.cart(), "cardId": card_id, "couponIds": [coupon_id]}
        quote = await town.query("Quote", town.merchant(people.tea), cart=cart)
        assert quote["payable"]["amountMinor"] == 1_000
        told.append(str({**quote, "version": ""}).replace(coupon_id, "…"))

    assert told[0] == told[1]
    assert "COUPON_NOT_FOUND" in told[0]


@pytest.mark.parametrize(
    "field", ["holdCheckout", "captureCheckout", "extendCheckout", "releaseCheckout", "refundOrder"]
)
async def test_a_till_of_one_store_leaves_the_other_stores_alone(place: Place, field: str) -> None:
    variables = await variables_of(place, field)

    answer = await place.town.gateway.ask(
        ROOTS[field][0], token=place.token("web till"), **variables
    )

    assert word_of(answer) == "NOT_FOUND"


RULES_OF_A_MERCHANT = (
    "confirmStatement",
    "createCouponTemplate",
    "disputeStatement",
    "setCouponTemplateState",
    "setGrowthTask",
    "setPaidPlan",
    "setPricingPolicy",
    "setPromotion",
    "setTierLadder",
    "setTierPolicy",
)


@pytest.mark.parametrize("field", RULES_OF_A_MERCHANT)
async def test_a_till_decides_nothing_for_its_merchant(place: Place, field: str) -> None:
    variables = await variables_of(place, field)
    before = place.town.dump()

    answer = await place.town.gateway.ask(
        ROOTS[field][0], token=place.token("web till"), **variables
    )

    assert word_of(answer) == "NOT_FOUND"
    assert _without_requests(place.town.dump()) == _without_requests(before)


@pytest.mark.parametrize(
    "field", ["issueCoupons", "voidCoupons", "recordTask", "sellPaidMembership"]
)
async def test_a_till_hands_out_what_its_merchant_decided(place: Place, field: str) -> None:
    variables = await variables_of(place, field)

    answer = await place.town.gateway.ask(
        ROOTS[field][0], token=place.token("web till"), **variables
    )

    assert word_of(answer) == "ok"


def _without_requests(dump: dict[str, list[str]]) -> dict[str, list[str]]:
    return {table: rows for table, rows in dump.items() if not table.endswith(":request")}
