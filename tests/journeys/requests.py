"""A request for every root field: who may send it, and variables that are new each time."""

from __future__ import annotations

from typing import Any

from tests.journeys.inputs import PLAN, PROMOTION, STATEMENT_STEPS, STEPS, TASK, TEMPLATE, TERMS
from tests.journeys.march import SETTINGS
from tests.journeys.place import Place
from tests.journeys.town import cny

SENDERS = {
    "join": ("Join", "tea"),
    "configureAlliance": ("ConfigureAlliance", "admin"),
    "admitMerchant": ("AdmitMerchant", "admin"),
    "openStore": ("OpenStore", "admin"),
    "changeMerchantState": ("ChangeMerchantState", "admin"),
    "closePeriod": ("ClosePeriod", "admin"),
    "grantCoins": ("GrantCoins", "admin"),
    "proposeSettlementRule": ("ProposeSettlementRule", "admin"),
    "approveSettlementRule": ("ApproveSettlementRule", "admin"),
    "resumeMessage": ("ResumeMessage", "admin"),
    "resumeEvent": ("ResumeEvent", "admin"),
    "confirmStatement": ("ConfirmStatement", "tea"),
    "disputeStatement": ("DisputeStatement", "tea"),
    "resolveDispute": ("ResolveDispute", "admin"),
    "recordPayment": ("RecordPayment", "admin"),
    "recordDeposit": ("RecordDeposit", "admin"),
    "returnDeposit": ("ReturnDeposit", "admin"),
    "holdCheckout": ("HoldCheckout", "tea"),
    "extendCheckout": ("ExtendCheckout", "tea"),
    "captureCheckout": ("CaptureCheckout", "tea"),
    "releaseCheckout": ("ReleaseCheckout", "tea"),
    "checkout": ("Checkout", "tea"),
    "refundOrder": ("RefundOrder", "tea"),
    "setTierLadder": ("SetTierLadder", "tea"),
    "createCouponTemplate": ("CreateCouponTemplate", "tea"),
    "issueCoupons": ("IssueCoupons", "tea"),
    "setCouponTemplateState": ("SetCouponTemplateState", "tea"),
    "voidCoupons": ("VoidCoupons", "tea"),
    "shareCoupon": ("ShareCoupon", "ann"),
    "takeBackCoupon": ("TakeBackCoupon", "ann"),
    "claimCoupon": ("ClaimCoupon", "tea"),
    "setPromotion": ("SetPromotion", "tea"),
    "setPricingPolicy": ("SetPricingPolicy", "tea"),
    "setTierPolicy": ("SetTierPolicy", "tea"),
    "setAllianceWeights": ("SetAllianceWeights", "admin"),
    "setGrowthTask": ("SetGrowthTask", "tea"),
    "recordTask": ("RecordTask", "tea"),
    "setPaidPlan": ("SetPaidPlan", "tea"),
    "sellPaidMembership": ("SellPaidMembership", "tea"),
    "refundPaidMembership": ("RefundPaidMembership", "tea"),
    "requestVerificationCode": ("RequestVerificationCode", "ann"),
    "linkIdentity": ("LinkIdentity", "ann"),
    "setConsent": ("SetConsent", "ann"),
    "replaceCard": ("ReplaceCard", "ann"),
    "freezeMember": ("FreezeMember", "admin"),
    "mergeMembers": ("MergeMembers", "admin"),
    "eraseMember": ("EraseMember", "admin"),
    "unmergeMembers": ("UnmergeMembers", "admin"),
}
"""Operation of each mutation, and a caller that may send it."""


async def variables_of(place: Place, field: str) -> dict[str, Any]:
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
        "simulateSettlementRule": {
            "draft": TERMS,
            "from": "2026-03-01T00:00:00Z",
            "to": "2026-04-01T00:00:00Z",
        },
        "clearingPeriods": {},
        "parkedMessages": {},
        "parkedEvents": {},
    }
    if field in queries:
        return queries[field]
    store = {"reference": fresh, "name": "新店", "channel": "APP"}
    inputs: dict[str, dict[str, Any]] = {
        "join": {
            "storeId": people.tea_shop,
            "credential": {"phone": place.phone()},
            "consents": [],
        },
        "configureAlliance": SETTINGS,
        "admitMerchant": {"reference": fresh, "name": "新", "backend": {"kind": "HOSTED"}},
        "openStore": {"merchantId": people.tea, **store},
        "closePeriod": {"periodId": ids["period"]},
        "grantCoins": {"cardId": people.ann_card, "amount": cny(1), "reason": "生日"},
        "proposeSettlementRule": {**TERMS, "effectiveFrom": place.later()},
        "setTierLadder": {
            "merchantId": people.tea,
            "name": "次数",
            "metric": "PURCHASE_COUNT",
            "steps": STEPS,
        },
        "createCouponTemplate": {**TEMPLATE, "merchantId": people.tea},
        "issueCoupons": {"templateId": ids["template"], "cardIds": [people.ann_card]},
        "setPromotion": {**PROMOTION, "merchantId": people.tea},
        "setPricingPolicy": {"merchantId": people.tea, "discountCapBps": 9_000},
        "checkout": {"cart": place.cart(), "orderNo": fresh},
        "setTierPolicy": {"merchantId": people.tea, "combination": "BEST_OF"},
        "setAllianceWeights": {
            "merchantId": ids["alliance"],
            "weights": [{"merchantId": people.tea, "weightBps": 5_000}],
        },
        "setGrowthTask": {**TASK, "merchantId": people.tea},
        "recordTask": {"merchantId": people.tea, "cardId": people.ann_card, "code": "CHECK_IN"},
        "setPaidPlan": {**PLAN, "merchantId": people.tea},
        "sellPaidMembership": {
            "merchantId": people.tea,
            "cardId": people.ann_card,
            "code": "YEAR",
            "reference": fresh,
        },
        "requestVerificationCode": {"credential": {"phone": place.phone()}},
        "linkIdentity": {"memberId": people.ann, "credential": {"phone": place.phone()}},
        "setConsent": {"merchantId": people.tea, "purpose": "MARKETING", "granted": True},
        "replaceCard": {"cardId": people.ann_card, "reason": "lost"},
    }
    if field == "refundPaidMembership":
        inputs[field] = {"paidMembershipId": await place.paid()}
    if field == "resumeMessage":
        inputs[field] = {"messageId": await place.parked()}
    if field == "resumeEvent":
        inputs[field] = {"eventId": await place.parked_event()}
    if field == "changeMerchantState":
        admitted = await place.town.admit(place.town.request_id(), "新")
        inputs[field] = {"merchantId": admitted, "state": "SUSPENDED"}
    if field in STATEMENT_STEPS:
        whose = {"periodId": place.ids["period"], "merchantId": people.tea}
        inputs[field] = whose | STATEMENT_STEPS[field]
    if field in ("recordDeposit", "returnDeposit"):
        inputs[field] = {"merchantId": people.tea, "amount": cny(1), "reason": "保证金"}
    if field == "mergeMembers":
        pair = [
            (await place.town.join(people.tea, people.tea_shop, phone=place.phone()))[0]
            for _ in range(2)
        ]
        inputs[field] = {"survivorId": pair[0], "mergedId": pair[1], "dryRun": False}
    if field == "unmergeMembers":
        merge = (await variables_of(place, "mergeMembers"))["input"]
        await place.town.done("MergeMembers", place.town.admin, **merge)
        inputs[field] = {"mergedId": merge["mergedId"]}
    if field == "eraseMember":
        member_id, _ = await place.town.join(people.tea, people.tea_shop, phone=place.phone())
        inputs[field] = {"memberId": member_id, "forfeit": True}
    if field == "freezeMember":
        member_id, _ = await place.town.join(people.tea, people.tea_shop, phone=place.phone())
        inputs[field] = {"memberId": member_id, "frozen": True, "reason": "stolen phone"}
    if field == "approveSettlementRule":
        inputs[field] = {"ruleId": await place.proposed()}
    elif field in COUPON_INPUTS:
        inputs[field] = await COUPON_INPUTS[field](place)
    if field not in inputs:
        inputs[field] = await _checkout_input(place, field, fresh)
    return {"input": {"requestId": fresh, **inputs[field]}}


async def _state_input(place: Place) -> dict[str, Any]:
    return {"templateId": await place.template(), "state": "PAUSED"}


async def _void_input(place: Place) -> dict[str, Any]:
    coupon_ids = [await place.issued()]
    return {"merchantId": place.people.tea, "couponIds": coupon_ids, "reason": "印错了"}


async def _share_input(place: Place) -> dict[str, Any]:
    await place.shared()
    return {"couponId": await place.issued()}


async def _take_back_input(place: Place) -> dict[str, Any]:
    coupon_id, _ = await place.shared()
    return {"couponId": coupon_id}


async def _claim_input(place: Place) -> dict[str, Any]:
    _, code = await place.shared()
    friend = {"phone": place.phone()}
    return {"shareCode": code, "storeId": place.people.tea_shop, "credential": friend}


COUPON_INPUTS = {
    "setCouponTemplateState": _state_input,
    "voidCoupons": _void_input,
    "shareCoupon": _share_input,
    "takeBackCoupon": _take_back_input,
    "claimCoupon": _claim_input,
}


async def _checkout_input(place: Place, field: str, fresh: str) -> dict[str, Any]:
    if field == "refundOrder":
        return {"orderId": await place.sold(), "refundNo": fresh, "amount": cny(1)}
    if field == "holdCheckout":
        till = place.town.merchant(place.people.tea)
        quote = await place.town.query("Quote", till, cart=place.cart())
        return {"cart": place.cart(), "quoteVersion": quote["version"]}
    held = {"checkoutId": await place.hold()}
    return {**held, "orderNo": fresh} if field == "captureCheckout" else held
