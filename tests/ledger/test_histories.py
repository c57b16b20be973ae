"""Whatever happens, in whatever order, at whatever price: the books balance after every event."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kernel.refusals import Refusal
from kernel.units import Ratio
from ledger.contract import CouponRedemption, DebtPolicy
from ledger.rules.state import RuleTerms
from tests.ledger.book import Books

CARDS = ("m1", "m2")
MERCHANTS = ("A", "B", "C")
EVENTS = 24
UNMATCHED_POINTS = """
SELECT seq FROM entry WHERE asset = 'SETTLEMENT' GROUP BY seq HAVING sum(points) <> 0
UNION ALL
SELECT seq FROM entry
WHERE points <> 0 AND kind IN ('ISSUE_FEE', 'REDEEM_FEE', 'COUPON')
"""
"""Events whose settlement names points that moved from nobody, or for which nobody moved any."""
prices = st.builds(Ratio.of, st.integers(1, 150), st.integers(1, 150))
terms = st.builds(
    RuleTerms,
    issue_price=prices,
    redeem_price=prices,
    issue_fee_bps=st.integers(0, 3_000),
    redeem_fee_bps=st.integers(0, 3_000),
    breakage_issuer_bps=st.integers(0, 10_000),
)


class History:
    """Makes one event after the other happen, as chance has it."""

    def __init__(self, books: Books, chance: Random, *, one_rule: bool = False) -> None:
        self.one_rule = one_rule
        self.books = books
        self.chance = chance
        self.count = 0
        self.orders: list[tuple[str, str, int, int, int]] = []
        self.kept: dict[str, int] = {}
        self.open_attempts: list[tuple[str, str]] = []

    async def happen(self) -> None:
        event = self.chance.choice(
            [self.earn, self.earn, self.spend, self.spend, self.refund, self.refund,
             self.hold, self.release, self.grant, self.wait, self.wait, self.sweep,
             self.change_rule]
        )  # fmt: skip
        self.count += 1
        await event()

    async def earn(self) -> None:
        chance = self.chance
        await self.order(
            chance.choice(CARDS),
            earned=chance.randrange(0, 200),
            active_in=timedelta(days=chance.choice([0, 0, 7])),
            expires_in=timedelta(days=chance.choice([3, 40, 400])),
        )

    async def spend(self) -> None:
        card = self.chance.choice(CARDS)
        asked, coins = self.chance.randrange(1, 150), self.chance.choice([0, 0, 30])
        attempt = f"t{self.count}"
        is_held = self.chance.random() < 0.8
        if is_held:
            try:
                await self.books.hold(attempt, card, asked, coins=coins)
            except Refusal:
                return
        spent = self.chance.choice([asked, asked, asked // 2, asked + 5])
        await self.order(card, spent=spent, coins=coins, attempt=attempt, earned=spent // 3)

    async def order(self, card: str, *, earned: int = 0, spent: int = 0, coins: int = 0,
                    **facts: object) -> None:  # fmt: skip
        order_id = f"o{self.count}"
        merchant = self.chance.choice(MERCHANTS)
        coupons = (CouponRedemption("c", self.chance.randrange(0, 90), 3_333),)
        await self.books.order(
            order_id, merchant, card, earned=earned, spent=spent, coins=coins,
            coupons=coupons, **facts,
        )  # fmt: skip
        self.orders.append((order_id, card, earned, spent, coins))
        self.kept[order_id] = earned

    async def refund(self) -> None:
        if not self.orders:
            return
        order_id, _, _, spent, coins = self.chance.choice(self.orders)
        self.kept[order_id] = self.chance.randint(0, self.kept[order_id])
        request = self.books.refund_of(
            order_id,
            f"r{self.count}",
            kept=self.kept[order_id],
            points=self.chance.randint(0, spent),
            coins=self.chance.randint(0, coins),
        )
        expected = await self.books.ledger.preview_refund(request)
        assert await self.books.ledger.apply_refund(request) == expected
        repeated = await self.books.ledger.apply_refund(request)
        assert repeated == replace(expected, replayed=True)

    async def hold(self) -> None:
        card = self.chance.choice(CARDS)
        try:
            await self.books.hold(f"t{self.count}", card, self.chance.randrange(1, 60))
            self.open_attempts.append((f"t{self.count}", card))
        except Refusal:
            return

    async def release(self) -> None:
        if self.open_attempts:
            await self.books.release(*self.open_attempts.pop())

    async def grant(self) -> None:
        funder = self.chance.choice([None, "A"])
        expires_in = self.chance.choice([None, timedelta(days=9)])
        await self.books.grant(
            f"g{self.count}", self.chance.choice(CARDS), 50, funder=funder, expires_in=expires_in
        )

    async def change_rule(self) -> None:
        if self.one_rule:
            return
        prices = [Ratio.of(self.chance.randint(1, 150), self.chance.randint(1, 150)) for _ in "pr"]
        bps = [self.chance.randint(0, 3_000) for _ in range(3)]
        self.books.clock.set(self.books.now + timedelta(minutes=1))
        await self.books.set_rule(RuleTerms(*prices, *bps))

    async def sweep(self) -> None:
        await self.books.sweep()
        assert await self.books.sweep() == 0

    async def wait(self) -> None:
        self.books.clock.set(self.books.now + timedelta(days=self.chance.choice([1, 10, 45])))


async def live_through(chance: Random, rule: RuleTerms, policy: DebtPolicy) -> tuple[int, int]:
    """Proves the books after every event; how many legs and how many rules there were."""
    with tempfile.TemporaryDirectory() as directory:
        books = await Books.open(Path(directory) / "ledger.sqlite", rule)
        try:
            books.owe_by(policy)
            history = History(books, chance)
            for _ in range(EVENTS):
                await history.happen()
                report = await books.verify()
                assert report.findings == ()
                positions = await books.positions()
                assert sum(positions.values()) == 0
                assert positions.get("POOL", 0) == await books.pool_backing()
                for standing in await books.ledger.balances(CARDS, now=books.now):
                    assert min(standing.available, standing.pending, standing.held) >= 0
                    assert not (standing.debt and standing.available + standing.pending)
            assert await books.rows(UNMATCHED_POINTS) == []
            [(legs,)] = await books.rows("SELECT count(*) FROM entry WHERE asset = 'SETTLEMENT'")
            [(rules,)] = await books.rows("SELECT count(*) FROM settlement_rule")
            return legs, rules
        finally:
            await books.close()


@seed(20260310)
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.randoms(use_true_random=False), terms, st.sampled_from(list(DebtPolicy)))
def test_the_books_balance_after_every_event_of_any_history(
    chance: Random, rule: RuleTerms, policy: DebtPolicy
) -> None:
    asyncio.run(live_through(chance, rule, policy))


def _any_terms(chance: Random) -> RuleTerms:
    prices = [Ratio.of(chance.randint(1, 150), chance.randint(1, 150)) for _ in "pr"]
    shares = [chance.randint(0, most) for most in (3_000, 3_000, 10_000)]
    return RuleTerms(*prices, *shares)


@pytest.mark.soak
def test_the_books_balance_after_every_event_of_three_hundred_histories(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = Random("three hundred histories")
    legs = rules = 0
    for number in range(300):
        policy = list(DebtPolicy)[number % len(DebtPolicy)]
        lived = asyncio.run(live_through(chance, _any_terms(chance), policy))
        legs, rules = legs + lived[0], rules + lived[1]

    with capsys.disabled():
        print(
            f"300 histories, {300 * EVENTS} events, {legs} settlement legs, {rules} rules of "
            "fractional prices: positions sum to zero and the pool is the lots' funding after each"
        )
    assert rules > 600
