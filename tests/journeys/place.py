"""A town with one of everything, and a request for every root field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.callers import CallerKind
from tests.journeys.march import SETTINGS
from tests.journeys.town import Settled, Town, cny, line, settle

SENDERS = {
    "join": ("Join", "tea"),
    "configureAlliance": ("ConfigureAlliance", "admin"),
    "admitMerchant": ("AdmitMerchant", "admin"),
    "openStore": ("OpenStore", "admin"),
    "closePeriod": ("ClosePeriod", "admin"),
    "grantCoins": ("GrantCoins", "admin"),
    "proposeSettlementRule": ("ProposeSettlementRule", "admin"),
    "approveSettlementRule": ("ApproveSettlementRule", "admin"),
    "holdCheckout": ("HoldCheckout", "tea"),
    "extendCheckout": ("ExtendCheckout", "tea"),
    "captureCheckout": ("CaptureCheckout", "tea"),
    "releaseCheckout": ("ReleaseCheckout", "tea"),
    "checkout": ("Checkout", "tea"),
    "refundOrder": ("RefundOrder", "tea"),
    "setTierLadder": ("SetTierLadder", "tea"),
    "createCouponTemplate": ("CreateCouponTemplate", "tea"),
    "issueCoupons": ("IssueCoupons", "tea"),
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

TERMS = {
    "issuePrice": "1",
    "redeemPrice": "1",
    "issueFeeBps": 400,
    "redeemFeeBps": 200,
    "breakageIssuerBps": 5_000,
}


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

    def phone(self) -> str:
        """One that nobody has."""
        return f"+86139{int(self.town.request_id().removeprefix('request-')):08}"

    def later(self) -> str:
        """An instant of next year, each time a later one."""
        number = int(self.town.request_id().removeprefix("request-"))
        return (datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()

    async def proposed(self) -> str:
        """Id of a settlement rule that another admin proposed."""
        bea = self.town.gateway.token(CallerKind.ADMIN, "bea")
        proposed = await self.town.done(
            "ProposeSettlementRule", bea, **TERMS, effectiveFrom=self.later()
        )
        return str(proposed["rule"]["id"])

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


async def furnish(town: Town) -> Place:
    """The town, with one of everything."""
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
    return place


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
        "checkout": {"cart": place.cart(), "orderNo": fresh},
        "requestVerificationCode": {"credential": {"phone": place.phone()}},
        "linkIdentity": {"memberId": people.ann, "credential": {"phone": place.phone()}},
        "setConsent": {"merchantId": people.tea, "purpose": "MARKETING", "granted": True},
        "replaceCard": {"cardId": people.ann_card, "reason": "lost"},
    }
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
