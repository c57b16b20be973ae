"""A town with one of everything, and a request for every root field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.checkout import stuck_sql
from kernel.callers import CallerKind
from ledger.outbox import outbox_sql
from ledger.outbox.messages import Message
from tests.journeys.march import SETTINGS
from tests.journeys.town import Settled, Town, cny, line, settle

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
        """An instant that no test comes to, each time a later one."""
        number = int(self.town.request_id().removeprefix("request-"))
        return (datetime(2046, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()

    async def proposed(self) -> str:
        """Id of a settlement rule that another admin proposed."""
        bea = self.town.gateway.token(CallerKind.ADMIN, "bea")
        proposed = await self.town.done(
            "ProposeSettlementRule", bea, **TERMS, effectiveFrom=self.later()
        )
        return str(proposed["rule"]["id"])

    async def parked(self) -> str:
        """Id of a new message that a webhook rejected too often."""
        message_id = f"msg_{self.town.request_id()}"

        def park(connection: Connection) -> None:
            outbox_sql.put(connection, [Message(message_id, message_id, "ledger.order", "{}", 0)])
            [message] = [
                each
                for each in outbox_sql.read_sendable(connection)
                if each.message_id == message_id
            ]
            outbox_sql.mark_rejected(connection, message, error="it answered 400", parked_at=1)

        database = self.town.opened.ledger.context_for(None, "", "").database
        await database.transaction(park)
        return message_id

    async def parked_event(self) -> str:
        """Id of a new event that could not be booked."""
        await self.sold()
        alliance, backend = self.town.opened.alliance, self.town.opened.merchants.backend
        event = (await backend.events(self.people.tea, limit=1_000))[-1]

        def park(connection: Connection) -> None:
            for _ in range(stuck_sql.TRIES_MAX):
                now = alliance.clock.now()
                stuck_sql.note_failure(connection, "HOSTED-0", event, error="x", now=now)

        await alliance.database.transaction(park)
        return event.id

    async def hold(self) -> str:
        """Id of a new held checkout."""
        till = self.town.merchant(self.people.tea)
        quote = await self.town.query("Quote", till, cart=self.cart())
        held = await self.town.done(
            "HoldCheckout", till, cart=self.cart(), quoteVersion=quote["version"]
        )
        return str(held["checkout"]["id"])

    async def issued(self) -> str:
        """Id of a new coupon of ann's that can be passed on, of a template of its own."""
        till = self.town.merchant(self.people.tea)
        template = await self.town.done(
            "CreateCouponTemplate", till, **TEMPLATE, merchantId=self.people.tea, shareable=True
        )
        issued = await self.town.done(
            "IssueCoupons",
            till,
            templateId=template["template"]["id"],
            cardIds=[self.people.ann_card],
        )
        return str(issued["coupons"][0]["id"])

    async def shared(self) -> tuple[str, str]:
        """A new coupon that ann passed on, and its share code; ann never reaches a day's limit."""
        self.town.gateway.clock.set(self.town.gateway.clock.now() + timedelta(days=1))
        coupon_id = await self.issued()
        ann = self.town.member(self.people.ann)
        shared = await self.town.done("ShareCoupon", ann, couponId=coupon_id)
        return coupon_id, str(shared["shareCode"])

    async def template(self) -> str:
        """Id of a new template of tea's."""
        made = await self.town.done(
            "CreateCouponTemplate",
            self.town.merchant(self.people.tea),
            **TEMPLATE,
            merchantId=self.people.tea,
        )
        return str(made["template"]["id"])

    async def paid(self) -> str:
        """Id of a new paid membership of ann's."""
        sold = await self.town.done(
            "SellPaidMembership",
            self.town.merchant(self.people.tea),
            merchantId=self.people.tea,
            cardId=self.people.ann_card,
            code=PLAN["code"],
            reference=self.town.request_id(),
        )
        return str(sold["paidMembership"]["id"])

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
    await town.done("SetGrowthTask", till, **TASK, merchantId=people.tea)
    await town.done("SetPaidPlan", till, **PLAN, merchantId=people.tea)
    settings = await town.query("AllianceSettings", town.admin)
    issued = await town.done(
        "IssueCoupons", till, templateId=template_id, cardIds=[people.ann_card]
    )
    await town.done(
        "RecordDeposit", town.admin, merchantId=people.tea, amount=cny(1_000), reason="保证金"
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
        "alliance": settings["merchant"]["id"],
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
PROMOTION = {
    "title": "满50减8",
    "kind": "THRESHOLD_OFF",
    "startsAt": "2026-03-01T00:00:00Z",
    "endsAt": "2036-03-01T00:00:00Z",
    "threshold": cny(5_000),
    "off": cny(800),
}
TASK = {"code": "CHECK_IN", "title": "签到", "growth": 5, "perDay": 1_000}
PLAN = {"code": "YEAR", "title": "年卡", "price": cny(9_900), "months": 12}
STATEMENT_STEPS: dict[str, dict[str, Any]] = {
    "confirmStatement": {},
    "disputeStatement": {"reason": "少算一单"},
    "resolveDispute": {"adjustment": cny(-1), "reason": "已核对"},
    "recordPayment": {"reference": "汇款 1"},
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
