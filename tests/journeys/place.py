"""A town with one of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.checkout import stuck_sql
from kernel.callers import CallerKind
from ledger.outbox import outbox_sql
from ledger.outbox.messages import Message
from tests.journeys.inputs import PLAN, TASK, TEMPLATE, TERMS
from tests.journeys.town import Settled, Town, cny, line, settle


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
                for each in outbox_sql.read_sendable(connection, after=(0, 0), limit=1_000)
                if each.message_id == message_id
            ]
            outbox_sql.mark_rejected(
                connection, message, rejections=8, error="it answered 400", parked_at=1
            )

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
