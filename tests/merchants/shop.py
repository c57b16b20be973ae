"""A hosted backend with two merchants and the alliance's own, and short ways to use it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kernel.callers import Caller, CallerKind
from kernel.clock import SetClock, to_micros
from kernel.database import Database, open_database
from kernel.ids import SeededIds, derived_id, derived_id_within
from kernel.units import Ratio
from merchants.coupons.issuing import create_template, issue_to_cards
from merchants.coupons.templates import TemplateDraft
from merchants.coupons.templates_sql import read_template
from merchants.hosted import HostedBackend, MerchantSettings
from merchants.ladders.standings import set_ladder
from merchants.ladders.tiers import Benefit, Ladder, Standing, Step, TierMetric, TierWindow
from merchants.migrations import HISTORY
from merchants.offers import CartLine, CouponKind, CouponTerms
from merchants.port import (
    JoinMerchant,
    MerchantState,
    Placed,
    PlaceOrder,
    PriceCart,
    Refunded,
    RefundLine,
    RefundOrder,
)
from merchants.subgraph import HostedMerchants, merchants_schema

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
TEA = derived_id("mer", "tea")
BOOKS = derived_id("mer", "books")
ALLIANCE = derived_id("mer", "alliance")
ANN = derived_id("card", "ann")
BOB = derived_id("card", "bob")
STORE = derived_id("sto", "tea")
OTHER_STORE = derived_id("sto", "tea-2")
ADMIN = Caller(CallerKind.ADMIN, "admin")
TEA_STAFF = Caller(CallerKind.MERCHANT, TEA)
BOOKS_STAFF = Caller(CallerKind.MERCHANT, BOOKS)
ANN_SELF = Caller(CallerKind.MEMBER, derived_id("mem", "ann"), card_id=ANN)
BOB_SELF = Caller(CallerKind.MEMBER, derived_id("mem", "bob"), card_id=BOB)
SETTINGS = MerchantSettings("CNY", "Asia/Shanghai", ALLIANCE)


def membership_of(card_id: str, merchant_id: str = TEA) -> str:
    return derived_id_within("mbs", merchant_id, card_id)


def cart(*prices: int, **more: Any) -> PriceCart:
    """Ann's cart at the tea shop: one unit of each price."""
    lines = tuple(CartLine(f"sku-{index}", 1, price) for index, price in enumerate(prices))
    wanted = PriceCart(
        merchant_id=TEA,
        store_id=STORE,
        channel="STORE_POS",
        at=NOW,
        lines=lines,
        member_point_value=Ratio(1, 1),
        points_cap_bps=5_000,
        earn_points_per_major_unit=1,
        membership_id=membership_of(ANN),
        card_id=ANN,
    )
    return replace(wanted, **more)


def amount_off(amount_minor: int, *, min_spend_minor: int = 1, **more: Any) -> CouponTerms:
    return CouponTerms(
        title=f"{amount_minor} off",
        kind=CouponKind.AMOUNT_OFF,
        min_spend_minor=min_spend_minor,
        amount_minor=amount_minor,
        **more,
    )


def ladder(metric: TierMetric, *steps: tuple[str, int], **more: Any) -> Ladder:
    made = Ladder(
        name=more.pop("name", metric.value),
        version=0,
        is_primary=False,
        metric=metric,
        window=TierWindow.LIFETIME,
        steps=tuple(
            Step(name, None, rank, threshold)
            for rank, (name, threshold) in enumerate(steps, start=1)
        ),
        effective_from=NOW - timedelta(days=1),
    )
    return replace(made, **more)


def with_benefit(made: Ladder, *benefits: Benefit) -> Ladder:
    """The ladder whose every step gives these benefits."""
    return replace(made, steps=tuple(replace(step, benefits=benefits) for step in made.steps))


@dataclass
class Shop:
    """The backend under test."""

    database: Database
    clock: SetClock
    ids: SeededIds
    backend: HostedBackend
    count: int = field(default=0)

    @classmethod
    async def open(cls, address: str | Path) -> Shop:
        clock, ids = SetClock(NOW), SeededIds("shop")
        database = await open_database(address, HISTORY)
        backend = HostedBackend(database, clock=clock, ids=ids, settings=lambda: SETTINGS)
        shop = cls(database, clock, ids, backend)
        for merchant_id in (TEA, BOOKS, ALLIANCE):
            await backend.register(merchant_id, MerchantState.ACTIVE, version=1)
        return shop

    async def join(self, card_id: str = ANN, merchant_id: str = TEA) -> tuple[str, ...]:
        is_alliance = merchant_id == ALLIANCE
        joined = await self.backend.join(
            JoinMerchant(
                merchant_id=merchant_id,
                membership_id=None if is_alliance else membership_of(card_id, merchant_id),
                card_id=card_id,
                store_id=None if is_alliance else STORE,
                at=self.clock.now(),
                is_new_member=True,
            )
        )
        return joined.coupon_ids

    async def template(self, terms: CouponTerms, *, merchant_id: str = TEA, **more: Any) -> str:
        draft = TemplateDraft(terms=terms, **{"quota_per_member": 100, **more})
        template_id, _ = await self.database.transaction(
            lambda connection: create_template(
                connection,
                draft,
                merchant_id=merchant_id,
                now=self.clock.now(),
                ids=self.ids,
                may_spend_alliance_money=True,
            )
        )
        return template_id

    async def issue(self, template_id: str, *card_ids: str, merchant_id: str = TEA) -> list[str]:
        def work(connection: Any) -> list[str]:
            template = read_template(connection, merchant_id=merchant_id, template_id=template_id)
            assert template is not None
            return issue_to_cards(
                connection,
                template,
                card_ids,
                now=self.clock.now(),
                zone=SETTINGS.facts.zone,
                ids=self.ids,
            )

        return await self.database.transaction(work)

    async def coupon(self, terms: CouponTerms, card_id: str = ANN, **more: Any) -> str:
        """A new coupon of the card, from a template of its own."""
        merchant_id = more.get("merchant_id", TEA)
        template_id = await self.template(terms, **more)
        return (await self.issue(template_id, card_id, merchant_id=merchant_id))[0]

    async def set_ladder(self, made: Ladder, merchant_id: str = TEA) -> Ladder:
        return await self.database.transaction(
            lambda connection: set_ladder(connection, merchant_id, made, now=self.clock.now())
        )

    async def place(self, wanted: PriceCart, **more: Any) -> Placed:
        return await self.backend.place(await self.placing(wanted, **more))

    async def placing(self, wanted: PriceCart, **more: Any) -> PlaceOrder:
        """What capturing this cart sends, priced now."""
        self.count += 1
        priced = more.pop("agreed", None) or await self.backend.price(wanted)
        order = PlaceOrder(
            merchant_id=wanted.merchant_id,
            attempt_id=f"attempt-{self.count}",
            order_id=self.ids.new_within("ord", wanted.merchant_id),
            order_no=f"no-{self.count}",
            cart=wanted,
            version=priced.version,
            paid_at=self.clock.now(),
            agreed=priced,
        )
        return replace(order, **more)

    async def refund(
        self, placed: Placed, refund_no: str, *lines: tuple[int, int], amount: int | None = None
    ) -> Refunded:
        return await self.backend.refund(
            RefundOrder(
                merchant_id=placed.order.merchant_id,
                order_id=placed.order.id,
                refund_no=refund_no,
                lines=tuple(RefundLine(*line) for line in lines),
                amount_minor=amount,
            )
        )

    async def standings(self, card_id: str = ANN, merchant_id: str = TEA) -> tuple[Standing, ...]:
        return (await self.backend.offers(merchant_id, card_id)).tiers

    async def ask(
        self, document: str, caller: Caller | None, *, language: str = "en", **variables: Any
    ) -> tuple[dict[str, Any], list[str]]:
        """`data`, and the codes of the errors."""
        schema = merchants_schema().strawberry
        result = await schema.execute(
            document,
            # `_entities` changes the representations it is given.
            variable_values=deepcopy(variables),
            context_value=HostedMerchants(self.backend).context_for(caller, "r", language),
        )
        errors = [str((each.extensions or {}).get("code", each)) for each in result.errors or ()]
        return result.data or {}, errors

    async def scalar(self, sql: str) -> Any:
        return await self.database.snapshot(
            lambda connection: connection.exec_driver_sql(sql).scalar()
        )

    def pass_time(self, **delta: int) -> None:
        self.clock.set(self.clock.now() + timedelta(**delta))

    @property
    def now_micros(self) -> int:
        return to_micros(self.clock.now())
