"""Inputs that are well-formed GraphQL and still wrong: a refusal with its code, nothing done."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.answers import word_of
from tests.journeys.place import Place, furnish
from tests.journeys.requests import SENDERS, variables_of
from tests.journeys.town import OPERATIONS, cny, line, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

HUGE = 2**53 - 1
DOLLARS = {"amountMinor": 1, "currency": "USD"}
UNKNOWN = "0000000000000000000000000a"
WRONG_IDS = ("", "x", "sto_", f"sto_{UNKNOWN}", "card_" + "é" * 26, "a" * 5_000, "\x00", "'; --")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("bad")) as town:
        yield await furnish(town)


def rows(field: str, code: str, *changes: tuple[str, Any]) -> list[Any]:
    """One case for each path and wrong value."""
    return [
        pytest.param(field, path, value, code, id=f"{field}:{path}={str(value)[:24]!a}")
        for path, value in changes
    ]


INVALID = [
    *(
        case
        for field in ("recordDeposit", "returnDeposit")
        for case in rows(
            field,
            "INVALID_INPUT",
            ("amount", cny(0)),
            ("amount", cny(-1)),
            ("amount", cny(10**13 + 1)),
            ("amount", DOLLARS),
            ("reason", " "),
            ("reason", "r" * 201),
            ("requestId", ""),
            ("requestId", "r" * 129),
        )
    ),
    *rows("confirmStatement", "INVALID_INPUT", ("requestId", ""), ("requestId", "r" * 129)),
    *rows("disputeStatement", "INVALID_INPUT", ("reason", " "), ("reason", "r" * 501)),
    *rows(
        "resolveDispute",
        "INVALID_INPUT",
        ("adjustment", cny(0)),
        ("adjustment", cny(10**13 + 1)),
        ("adjustment", DOLLARS),
        ("reason", ""),
    ),
    *rows("recordPayment", "INVALID_INPUT", ("reference", ""), ("reference", "r" * 141)),
    *rows(
        "changeMerchantState",
        "INVALID_INPUT",
        ("state", "APPLIED"),
        ("state", "WINDING_DOWN"),
        ("redeemUntil", "2027-01-01T00:00:00Z"),
        ("requestId", ""),
    ),
    *rows("changeMerchantState", "MERCHANT_NOT_ACTIVE", ("state", "LEFT"), ("state", "ACTIVE")),
    *rows("changeMerchantState", "NOT_FOUND", ("merchantId", f"mer_{UNKNOWN}")),
    *rows("resumeMessage", "NOT_FOUND", *(("messageId", wrong) for wrong in WRONG_IDS)),
    *rows("resumeEvent", "NOT_FOUND", *(("eventId", wrong) for wrong in WRONG_IDS)),
    *rows("resumeEvent", "INVALID_INPUT", ("requestId", ""), ("requestId", "r" * 129)),
    *rows("resumeMessage", "INVALID_INPUT", ("requestId", ""), ("requestId", "r" * 129)),
    *rows("returnDeposit", "DEPOSIT_TOO_LOW", ("amount", cny(10**12))),
    *rows(
        "checkout",
        "INVALID_INPUT",
        ("cart.lines", []),
        ("cart.lines", [line(1)] * 201),
        ("cart.lines.0.quantity", 0),
        ("cart.lines.0.quantity", -1),
        ("cart.lines.0.quantity", 2_000_000),
        ("cart.lines.0.unitPrice", cny(-1)),
        ("cart.lines.0.unitPrice", DOLLARS),
        ("cart.lines", [line(HUGE, quantity=2)]),
        ("cart.lines.0.sku", ""),
        ("cart.lines.0.sku", "s" * 201),
        ("cart.lines.0.categoryId", ""),
        ("cart.lines.0.categoryId", "c" * 201),
        ("cart.points", -1),
        ("cart.coins", cny(-1)),
        ("cart.coins", DOLLARS),
        ("cart.shipping", cny(-1)),
        ("cart.shipping", cny(HUGE)),
        ("cart.shipping", DOLLARS),
        ("cart.couponIds", ["x"] * 21),
        ("cart.couponIds", ["x", "x"]),
        ("orderNo", ""),
        ("orderNo", "n" * 65),
        ("orderNo", " padded "),
        ("orderNo", "line\nfeed"),
        ("orderNo", "nul\x00"),
        ("requestId", ""),
        ("requestId", "r" * 129),
    ),
    *rows("checkout", "INSUFFICIENT_POINTS", ("cart.points", HUGE)),
    *rows("checkout", "INSUFFICIENT_COINS", ("cart.coins", cny(HUGE))),
    *rows("checkout", "QUOTE_STALE", ("quoteVersion", ""), ("quoteVersion", "v" * 5_000)),
    *rows("holdCheckout", "QUOTE_STALE", ("quoteVersion", "another")),
    *rows(
        "refundOrder",
        "INVALID_INPUT",
        ("amount", None),
        ("lines", [{"lineIndex": 0, "quantity": 1}]),
        ("amount", cny(0)),
        ("amount", cny(-1)),
        ("amount", DOLLARS),
        ("refundNo", ""),
        ("refundNo", "n" * 65),
        ("requestId", ""),
    ),
    *rows("refundOrder", "REFUND_EXCEEDS_ORDER", ("amount", cny(HUGE)), ("amount", cny(1_001))),
    *rows(
        "join",
        "INVALID_INPUT",
        ("credential.phone", ""),
        ("credential.phone", "not a number"),
        ("credential.phone", "+86" + "1" * 5_000),
        ("credential", {"email": "nobody"}),
        ("credential", {"wechatUnionId": ""}),
        ("credential", {"merchantReference": {"issuer": "", "value": "1"}}),
        ("credential", {"merchantReference": {"issuer": "till", "value": "\x00"}}),
        ("consents", [""]),
        ("consents", ["c" * 5_000]),
        ("profile", {"displayName": "n" * 5_000}),
        ("referralCode", "r" * 5_000),
        ("requestId", ""),
    ),
    *rows("join", "NOT_FOUND", ("credential", {"cardNumber": "0000000000000000"})),
    *rows("join", "VERIFICATION_FAILED", ("credential", {"cardToken": "x.1.y"})),
    *rows(
        "admitMerchant",
        "INVALID_INPUT",
        ("reference", ""),
        ("reference", "r" * 65),
        ("reference", "line\nfeed"),
        ("name", ""),
        ("name", "   "),
        ("name", "n" * 121),
        ("nameEn", "n" * 121),
        ("backend", {"kind": "REMOTE"}),
        ("backend", {"kind": "REMOTE", "endpoint": "ftp://elsewhere"}),
        ("backend", {"kind": "HOSTED", "endpoint": "https://elsewhere.example"}),
        ("requestId", "r" * 129),
    ),
    *rows(
        "requestVerificationCode",
        "INVALID_INPUT",
        ("credential", {"phone": "nobody"}),
        ("credential", {"cardNumber": "0000000000000000"}),
        ("credential", {"wechatUnionId": "oUnion"}),
        ("requestId", ""),
    ),
    *rows(
        "linkIdentity",
        "INVALID_INPUT",
        ("credential", {"phone": ""}),
        ("credential", {"cardNumber": "0000000000000000"}),
        ("verificationCode", ""),
        ("verificationCode", "1" * 5_000),
        ("requestId", "r" * 129),
    ),
    *rows("linkIdentity", "VERIFICATION_FAILED", ("verificationCode", "000000")),
    *rows(
        "setConsent",
        "INVALID_INPUT",
        ("purpose", ""),
        ("purpose", "p" * 5_000),
        ("purpose", "nul\x00"),
        ("requestId", ""),
    ),
    *rows(
        "mergeMembers",
        "INVALID_INPUT",
        ("acceptConflicts", ["MEMBER_FROZEN"]),
        ("acceptConflicts", [""]),
        ("requestId", ""),
    ),
    *rows("replaceCard", "INVALID_INPUT", ("reason", ""), ("reason", "r" * 5_000)),
    *rows("openStore", "INVALID_INPUT", ("reference", ""), ("name", ""), ("name", "n" * 121)),
    *rows("openStore", "REFERENCE_TAKEN", ("reference", "tea-shop")),
    *rows("admitMerchant", "REFERENCE_TAKEN", ("reference", "tea")),
    *rows(
        "setTierLadder",
        "INVALID_INPUT",
        ("steps", []),
        ("steps.0.rank", 0),
        ("steps.0.threshold", -1),
        ("steps.0.name", ""),
        ("steps.0.name", "n" * 5_000),
        ("name", ""),
        ("requestId", ""),
    ),
    *rows(
        "createCouponTemplate",
        "INVALID_INPUT",
        ("amount", cny(0)),
        ("amount", cny(-1)),
        ("amount", DOLLARS),
        ("amount", None),
        ("minSpend", cny(-1)),
        ("percentOffBps", 10_001),
        ("validUntil", "2020-01-01T00:00:00Z"),
        ("validDays", 0),
        ("quotaPerMember", 0),
        ("skus", []),
        ("channels", []),
        ("funder", "ALLIANCE"),
        ("kind", "GIFT"),
        ("title", ""),
    ),
    *rows(
        "setPricingPolicy",
        "INVALID_INPUT",
        ("discountCapBps", -1),
        ("discountCapBps", 10_001),
        ("requestId", ""),
    ),
    *rows(
        "setPromotion",
        "INVALID_INPUT",
        ("title", ""),
        ("endsAt", "2026-03-01T00:00:00Z"),
        ("endsAt", "2020-01-01T00:00:00Z"),
        ("threshold", None),
        ("threshold", DOLLARS),
        ("off", cny(0)),
        ("off", cny(5_001)),
        ("percentOffBps", 1_000),
        ("price", cny(1)),
        ("stock", 1),
        ("stacksWithMemberPrice", True),
        ("skus", []),
        ("categoryIds", ["c" * 201]),
        ("earlyAccessRank", 1),
        ("earlyAccessMinutes", 0),
        ("weekdays", [8]),
        ("monthDays", [1, 1]),
        ("kind", "BUNDLE"),
        ("requestId", ""),
    ),
    *rows(
        "grantCoins",
        "INVALID_INPUT",
        ("amount", cny(0)),
        ("amount", cny(-1)),
        ("amount", DOLLARS),
        ("reason", ""),
        ("reason", "r" * 5_000),
        ("requestId", ""),
    ),
    *rows(
        "proposeSettlementRule",
        "INVALID_INPUT",
        ("effectiveFrom", "2026-01-01T00:00:00Z"),
        ("issueFeeBps", -1),
        ("issueFeeBps", 10_001),
        ("redeemFeeBps", -1),
        ("breakageIssuerBps", 10_001),
        ("requestId", ""),
    ),
    *rows("issueCoupons", "INVALID_INPUT", ("cardIds", []), ("requestId", "")),
    *rows(
        "createCouponTemplate",
        "INVALID_INPUT",
        ("title", "nul\x00"),
        ("title", "line\nfeed"),
        ("stackingGroup", "tab\t"),
        ("skus", ["\x1b"]),
        ("budget", cny(0)),
        ("budget", cny(499)),
        ("budget", DOLLARS),
        ("audience", {"kind": "DORMANT"}),
        ("audience", {"kind": "DORMANT", "days": 0}),
        ("audience", {"kind": "NEW", "days": 3}),
        ("audience", {"kind": "TIER"}),
        ("audience", {"kind": "TIER", "ladder": "次数", "minRank": 0}),
        ("audience", {"kind": "SEGMENT"}),
        ("audience", {"kind": "SEGMENT", "segment": "ZOMBIE", "days": 31}),
        ("trigger", "WAKE_UP"),
        ("trigger", "TIER_REACHED"),
        ("trigger", "HOLIDAY"),
        ("trigger", "CATEGORY"),
        ("triggerOn", "2026-06-18"),
        ("shareDays", 0),
        ("shareDays", 91),
        ("shareNewMembersOnly", True),
    ),
    *rows("setTierLadder", "INVALID_INPUT", ("name", "bell\x07"), ("steps.0.name", "\x00")),
    *rows("setCouponTemplateState", "INVALID_INPUT", ("requestId", "")),
    *rows("setCouponTemplateState", "TEMPLATE_STATE_UNREACHABLE", ("state", "DRAFT")),
    *rows(
        "voidCoupons",
        "INVALID_INPUT",
        ("couponIds", []),
        ("couponIds", ["x"] * 101),
        ("couponIds", ["x", "x"]),
        ("reason", ""),
        ("reason", "r" * 201),
        ("reason", "line\nfeed"),
        ("requestId", ""),
    ),
    *rows("voidCoupons", "NOT_FOUND", ("couponIds", ["x"])),
    *rows("shareCoupon", "INVALID_INPUT", ("requestId", "")),
    *rows("takeBackCoupon", "INVALID_INPUT", ("requestId", "")),
    *rows(
        "claimCoupon",
        "INVALID_INPUT",
        ("credential", None),
        ("credential.phone", "not a number"),
        ("storeId", None),
        ("consents", [""]),
        ("requestId", ""),
    ),
    *rows("claimCoupon", "NOT_FOUND", ("shareCode", ""), ("shareCode", "s" * 5_000)),
    *rows("issueCoupons", "NOT_A_MEMBER", ("cardIds", [f"card_{UNKNOWN}"]), ("cardIds", ["x"])),
    *rows(
        "configureAlliance",
        "INVALID_INPUT",
        ("timeZone", "Mars/Olympus"),
        ("timeZone", "../../etc/passwd"),
        ("earnPointsPerMajorUnit", -1),
        ("earnPointsPerMajorUnit", 2**31 - 1),
        ("memberPointValue", "0/1"),
        ("activationDaysStore", -1),
        ("expiryMonths", None),
        ("expiryMonths", 0),
        ("pointsCapBps", 10_001),
        ("currency", "USD"),
    ),
]


@pytest.mark.parametrize(("field", "path", "value", "code"), INVALID)
async def test_a_wrong_value_is_refused_and_nothing_is_done(
    place: Place, field: str, path: str, value: Any, code: str
) -> None:
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, value), code)


@pytest.mark.parametrize("wrong_id", WRONG_IDS, ids=lambda wrong: repr(wrong[:12]))
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("checkout", "cart.storeId"),
        ("checkout", "cart.cardId"),
        ("join", "storeId"),
        ("openStore", "merchantId"),
        ("extendCheckout", "checkoutId"),
        ("captureCheckout", "checkoutId"),
        ("releaseCheckout", "checkoutId"),
        ("refundOrder", "orderId"),
        ("setTierLadder", "merchantId"),
        ("createCouponTemplate", "merchantId"),
        ("setPromotion", "merchantId"),
        ("setPricingPolicy", "merchantId"),
        ("setPromotion", "promotionId"),
        ("issueCoupons", "templateId"),
        ("setCouponTemplateState", "templateId"),
        ("voidCoupons", "merchantId"),
        ("shareCoupon", "couponId"),
        ("takeBackCoupon", "couponId"),
        ("claimCoupon", "shareCode"),
        ("claimCoupon", "storeId"),
        ("closePeriod", "periodId"),
        ("confirmStatement", "periodId"),
        ("recordPayment", "merchantId"),
        ("grantCoins", "cardId"),
        ("approveSettlementRule", "ruleId"),
        ("grantCoins", "funderMerchantId"),
        ("linkIdentity", "memberId"),
        ("setConsent", "merchantId"),
        ("replaceCard", "cardId"),
        ("freezeMember", "memberId"),
        ("mergeMembers", "survivorId"),
        ("mergeMembers", "mergedId"),
        ("unmergeMembers", "mergedId"),
        ("eraseMember", "memberId"),
    ],
)
async def test_an_id_that_names_nothing_is_not_found(
    place: Place, field: str, path: str, wrong_id: str
) -> None:
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, wrong_id), "NOT_FOUND")


@pytest.mark.parametrize("kind", ["member", "card", "merchant", "store", "order", "coupon"])
@pytest.mark.parametrize(
    ("field", "path", "own"),
    [
        ("checkout", "cart.storeId", "store"),
        ("checkout", "cart.cardId", "card"),
        ("openStore", "merchantId", "merchant"),
        ("captureCheckout", "checkoutId", "checkout"),
        ("refundOrder", "orderId", "order"),
        ("setTierLadder", "merchantId", "merchant"),
        ("setPromotion", "promotionId", "promotion"),
        ("issueCoupons", "templateId", "template"),
        ("setCouponTemplateState", "templateId", "template"),
        ("shareCoupon", "couponId", "coupon"),
        ("claimCoupon", "shareCode", "share"),
        ("closePeriod", "periodId", "period"),
    ],
)
async def test_an_id_of_another_kind_is_not_found(
    place: Place, field: str, path: str, own: str, kind: str
) -> None:
    if kind == own:
        kind = "membership"
    given = (await variables_of(place, field))["input"]
    await _is_refused(place, field, _changed(given, path, place.ids[kind]), "NOT_FOUND")


@pytest.mark.parametrize("wrong_id", WRONG_IDS, ids=lambda wrong: repr(wrong[:12]))
@pytest.mark.parametrize("root", ["node", "merchant", "clearingPeriod"])
async def test_what_has_no_such_id_is_null(place: Place, root: str, wrong_id: str) -> None:
    document = f"query($id: ID!) {{ {root}(id: $id) {{ id }} }}"

    answer = await place.town.gateway.data(document, token=place.token("admin"), id=wrong_id)

    assert answer == {root: None}


@pytest.mark.parametrize(
    "page",
    ["first: 0", "first: -1", "first: 101", 'after: "x"', 'after: "WzEsMiwzXQ"', 'after: "bnVsbA"'],
)
@pytest.mark.parametrize(
    "field", ["orders", "couponTemplates", "promotions", "statements", "stores"]
)
async def test_a_page_that_cannot_be_is_bad_input(place: Place, field: str, page: str) -> None:
    document = f"query($id: ID!) {{ merchant(id: $id) {{ {field}({page}) {{ nodes {{ __typename }}"

    answer = await place.town.gateway.ask(
        document + " } } }", token=place.token("tea"), id=place.people.tea
    )

    assert word_of(answer) == "BAD_USER_INPUT"
    assert answer["data"] == {"merchant": {field: None}}


async def _is_refused(place: Place, field: str, given: dict[str, Any], code: str) -> None:
    operation, caller = SENDERS[field]
    before = _without_requests(place)

    answer = await place.town.gateway.ask(
        OPERATIONS[operation], token=place.token(caller), input=given
    )

    assert "errors" not in answer, answer
    assert word_of(answer) == code, answer
    assert answer["data"][field].get("message")
    assert _without_requests(place) == before


def _changed(given: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The input with one value replaced."""
    changed = copy.deepcopy(given)
    *parents, last = path.split(".")
    inside: Any = changed
    for name in parents:
        inside = inside[int(name)] if name.isdigit() else inside[name]
    inside[int(last) if last.isdigit() else last] = value
    return changed


def _without_requests(place: Place) -> dict[str, list[str]]:
    return {
        table: found for table, found in place.town.dump().items() if not table.endswith(":request")
    }
