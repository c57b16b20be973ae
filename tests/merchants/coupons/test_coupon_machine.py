"""Random lives of coupons against a small model: one live lock, one redemption, one holder."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kernel.clock import to_micros
from kernel.refusals import NotFound
from merchants.coupons.coupons_sql import read_coupons
from merchants.coupons.lifecycle import void_coupons
from merchants.coupons.template_life import TemplateLife
from merchants.coupons.templates import CouponState
from merchants.port import ClaimCoupon, LockCoupons, Placed, ReleaseAttempt
from merchants.refusals import CouponNotFree, CouponNotShareable, CouponTaken, ShareNotClaimable
from merchants.sharing.share_codes import share_coupon, take_back_coupon
from tests.merchants.shop import ANN, BOB, SETTINGS, STORE, TEA, Shop, amount_off, cart

T = TypeVar("T")
OTHER = {ANN: BOB, BOB: ANN}
LIFETIME = timedelta(days=3)
ISSUED, LOCKED = CouponState.ISSUED, CouponState.LOCKED
REDEEMED, TRANSFERRED, VOID = CouponState.REDEEMED, CouponState.TRANSFERRED, CouponState.VOID


@dataclass
class Model:
    """What one coupon ought to be."""

    card_id: str
    is_passed_on: bool
    ends_at: Any
    state: CouponState = ISSUED
    attempt_id: str | None = None
    share_code: str | None = None
    share_ends: Any = None
    placed: Placed | None = None

    def at(self, now: Any) -> CouponState:
        state = self.state
        if self.share_ends is not None and self.share_ends <= now:
            state = ISSUED
        return CouponState.EXPIRED if state is ISSUED and self.ends_at <= now else state


class CouponLives(RuleBasedStateMachine):
    """Issue, lock, release, redeem, return, share, take back, claim, void, expire."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.models: dict[str, Model] = {}
        self.attempts = 0

    def teardown(self) -> None:
        self.run(self.shop.database.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def change(self, work: Any) -> Any:
        return self.run(self.shop.database.transaction(work))

    @property
    def now(self) -> Any:
        return self.shop.clock.now()

    @initialize()
    def open(self) -> None:
        self.shop = self.run(Shop.open(Path(self.folder.name) / "shop.sqlite"))
        for card_id in (ANN, BOB):
            self.run(self.shop.join(card_id))
        self.template = self.run(
            self.shop.template(
                amount_off(500, min_spend_minor=1),
                valid_days=LIFETIME.days,
                shareable=True,
                life=TemplateLife(share_days=1),
            )
        )

    def pick(self, data: Any) -> tuple[str, Model]:
        coupon_id = data.draw(st.sampled_from(sorted(self.models)))
        return coupon_id, self.models[coupon_id]

    @rule(card_id=st.sampled_from([ANN, BOB]))
    @precondition(lambda self: len(self.models) < 6)
    def issue(self, card_id: str) -> None:
        [coupon_id] = self.run(self.shop.issue(self.template, card_id))
        self.models[coupon_id] = Model(card_id, is_passed_on=False, ends_at=self.now + LIFETIME)

    @rule(hours=st.sampled_from([1, 13, 25]))
    def pass_time(self, hours: int) -> None:
        self.shop.pass_time(hours=hours)

    @rule(data=st.data())
    @precondition(lambda self: self.models)
    def lock(self, data: Any) -> None:
        coupon_id, model = self.pick(data)
        self.attempts += 1
        attempt_id = f"try-{self.attempts}"
        lock = LockCoupons(TEA, attempt_id, STORE, model.card_id, (coupon_id,))
        try:
            self.run(self.shop.backend.lock(lock))
        except CouponTaken:
            assert model.state in (LOCKED, REDEEMED)
        except NotFound:
            assert model.at(self.now) not in (ISSUED, LOCKED, REDEEMED)
        else:
            assert model.at(self.now) is ISSUED
            model.state, model.attempt_id, model.share_ends = LOCKED, attempt_id, None

    @rule(data=st.data())
    @precondition(lambda self: any(each.state is LOCKED for each in self.models.values()))
    def release(self, data: Any) -> None:
        _, model = self.pick_in(data, LOCKED)
        released = self.run(self.shop.backend.release(ReleaseAttempt(TEA, str(model.attempt_id))))
        assert len(released.coupon_ids) == 1
        model.state, model.attempt_id = ISSUED, None

    @rule(data=st.data())
    @precondition(lambda self: any(each.state is LOCKED for each in self.models.values()))
    def redeem(self, data: Any) -> None:
        coupon_id, model = self.pick_in(data, LOCKED)
        wanted = cart(
            1_000,
            card_id=model.card_id,
            membership_id=None,
            at=self.now,
            coupon_ids=(coupon_id,),
            choose_best=False,
        )
        placed = self.run(self._place(wanted, str(model.attempt_id)))
        assert placed.order.payable_minor == 500
        assert placed.absorbed_minor == 0
        model.state, model.placed = REDEEMED, placed

    async def _place(self, wanted: Any, attempt_id: str) -> Placed:
        order = await self.shop.placing(wanted, attempt_id=attempt_id)
        return await self.shop.backend.place(replace(order, agreed=None))

    @rule(data=st.data(), is_whole=st.booleans())
    @precondition(lambda self: any(each.placed for each in self.models.values()))
    def refund(self, data: Any, is_whole: bool) -> None:
        sold = {name: each for name, each in self.models.items() if each.placed}
        model = sold[data.draw(st.sampled_from(sorted(sold)))]
        assert model.placed is not None
        if not is_whole:
            refunded = self.run(self.shop.refund(model.placed, "part", amount=1))
            assert refunded.terms.coupon_outcome == "KEPT"
            return
        refunded = self.run(self.shop.refund(model.placed, "full", (0, 1)))
        is_over = model.ends_at <= self.now
        assert refunded.terms.coupon_outcome == ("EXPIRED" if is_over else "RETURNED")
        if not is_over:
            model.state, model.attempt_id = ISSUED, None
        model.placed = None

    @rule(data=st.data())
    @precondition(lambda self: self.models)
    def share(self, data: Any) -> None:
        coupon_id, model = self.pick(data)
        try:
            code = self.change(
                lambda connection: share_coupon(
                    connection,
                    merchant_id=TEA,
                    coupon_id=coupon_id,
                    card_id=model.card_id,
                    now=self.now,
                    zone=SETTINGS.facts.zone,
                    ids=self.shop.ids,
                )
            )
        except CouponNotShareable as refusal:
            is_free = model.at(self.now) is ISSUED and not model.is_passed_on
            assert not is_free or refusal.reason == "DAILY_LIMIT"  # noqa: PT017
        else:
            assert model.at(self.now) is ISSUED
            assert not model.is_passed_on
            model.state, model.share_code = TRANSFERRED, code
            model.share_ends = min(self.now + timedelta(days=1), model.ends_at)

    @rule(data=st.data())
    @precondition(lambda self: self.models)
    def take_back(self, data: Any) -> None:
        coupon_id, model = self.pick(data)
        try:
            self.change(
                lambda connection: take_back_coupon(
                    connection,
                    merchant_id=TEA,
                    coupon_id=coupon_id,
                    card_id=model.card_id,
                    now=self.now,
                )
            )
        except CouponNotShareable:
            assert model.share_ends is None
        else:
            assert model.share_ends is not None
            model.state, model.share_ends = ISSUED, None

    @rule(data=st.data(), is_friend=st.booleans())
    @precondition(lambda self: any(each.share_code for each in self.models.values()))
    def claim(self, data: Any, is_friend: bool) -> None:
        shared = {name: each for name, each in self.models.items() if each.share_code}
        model = shared[data.draw(st.sampled_from(sorted(shared)))]
        claimant = OTHER[model.card_id] if is_friend else model.card_id
        claim = ClaimCoupon(TEA, str(model.share_code), claimant, is_new_member=False)
        is_open = model.share_ends is not None and model.share_ends > self.now
        try:
            claimed = self.run(self.shop.backend.claim(claim))
        except ShareNotClaimable as refusal:
            is_due = is_open and is_friend
            assert not is_due or refusal.reason == "DAILY_LIMIT"  # noqa: PT017
            return
        if claimed.replayed:
            assert claimed.coupon_id in self.models
            return
        assert is_open
        assert is_friend
        model.share_ends = None
        self.models[claimed.coupon_id] = Model(claimant, is_passed_on=True, ends_at=model.ends_at)

    @rule(data=st.data())
    @precondition(lambda self: self.models)
    def void(self, data: Any) -> None:
        coupon_id, model = self.pick(data)
        is_open = model.share_ends is not None
        try:
            self.change(
                lambda connection: void_coupons(
                    connection, merchant_id=TEA, coupon_ids=[coupon_id], reason="misprint"
                )
            )
        except CouponNotFree:
            assert not is_open
            assert model.state not in (ISSUED, VOID)
        else:
            assert is_open or model.state in (ISSUED, VOID)
            model.state, model.share_ends = VOID, None

    def pick_in(self, data: Any, state: CouponState) -> tuple[str, Model]:
        found = sorted(name for name, each in self.models.items() if each.state is state)
        coupon_id = data.draw(st.sampled_from(found))
        return coupon_id, self.models[coupon_id]

    @invariant()
    def every_coupon_is_what_the_model_says(self) -> None:
        if not self.models:
            return
        keys = [(TEA, coupon_id) for coupon_id in self.models]
        kept = self.run(
            self.shop.database.snapshot(lambda connection: read_coupons(connection, keys))
        )
        states = {key[1]: coupon.state_at(to_micros(self.now)) for key, coupon in kept.items()}
        assert states == {name: model.at(self.now) for name, model in self.models.items()}

    @invariant()
    def no_coupon_has_two_live_uses(self) -> None:
        if self.models:
            worst = self.run(
                self.shop.scalar(
                    "SELECT COALESCE(MAX(uses), 0) FROM (SELECT COUNT(*) AS uses FROM coupon_use"
                    " WHERE state IN ('LOCKED', 'REDEEMED') GROUP BY merchant_id, coupon_id)"
                )
            )
            assert worst <= 1


CouponLives.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestCouponLives = CouponLives.TestCase
