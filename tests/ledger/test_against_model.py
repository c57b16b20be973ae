"""Whatever is asked in whatever order, ledger and model answer alike, and every invariant holds."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from kernel.clock import to_micros
from kernel.refusals import Refusal
from ledger.contract import GrantCoins
from ledger.rules.state import NEVER
from tests.ledger.book import Books
from tests.ledger.model import Model
from tests.places import Places

cards = st.sampled_from(["m1", "m2", "m3"])
merchants = st.sampled_from("ABC")
small = st.integers(0, 120)
days = st.sampled_from([0, 0, 1, 7])
lives = st.sampled_from([1, 3, 40, 400])


class LedgerMachine(RuleBasedStateMachine):
    """Every operation of the contract, beside the model."""

    places: Places
    opened = 0
    operations = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.books = self.run(self.open())
        self.model = Model()
        self.count = 0
        self.attempts: list[tuple[str, str]] = []
        self.refundable: list[str] = []
        self.asked: list[tuple[Any, Any]] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def open(self) -> Books:
        type(self).opened += 1
        return await Books.open(self.places.address(f"model_{self.opened}"), lanes=2)

    def teardown(self) -> None:
        self.run(self.books.close())
        self.loop.close()

    @property
    def now(self) -> int:
        return to_micros(self.books.now)

    def name(self, kind: str) -> str:
        self.count += 1
        type(self).operations += 1
        return f"{kind}{self.count}"

    def ask(self, write: Any) -> Any:
        """The receipt or the refusal of a write, which can be repeated later."""
        outcome = self.run(answered(write()))
        self.asked.append((write, outcome))
        return outcome

    @rule(card=cards, merchant=merchants, earned=small, active=days, life=lives, ago=days)
    def earn(self, card: str, merchant: str, earned: int, active: int, life: int, ago: int) -> None:
        self.order(card, merchant, earned=earned, active=active, life=life, ago=ago)

    @rule(card=cards, merchant=merchants, spent=small, coins=st.sampled_from([0, 0, 30]))
    def spend(self, card: str, merchant: str, spent: int, coins: int) -> None:
        self.order(card, merchant, spent=spent, coins=coins, earned=spent // 3)

    @rule(merchant=merchants)
    def sell_to_a_stranger(self, merchant: str) -> None:
        self.order(None, merchant)

    @rule(data=st.data(), merchant=merchants, more=st.sampled_from([-40, 0, 0, 5]), coins=small)
    def capture(self, data: Any, merchant: str, more: int, coins: int) -> None:
        if self.attempts:
            attempt, card = data.draw(st.sampled_from(self.attempts))
            found = self.model.attempts.get(attempt)
            held = sum(units for lot, units in found.parts if lot.asset == "P") if found else 10
            self.order(card, merchant, spent=max(0, held + more), coins=coins, attempt=attempt)

    def order(
        self, card: str | None, merchant: str, *, earned: int = 0, spent: int = 0, coins: int = 0,
        attempt: str | None = None, active: int = 0, life: int | None = 400, ago: int = 0,
    ) -> None:  # fmt: skip
        order_id = self.name("o")
        at = self.books.now - timedelta(days=ago)
        receipt = self.ask(
            lambda: self.books.order(
                order_id, merchant, card, earned=earned, spent=spent, coins=coins,
                attempt=attempt, at=at, active_in=timedelta(days=active),
                expires_in=None if life is None else timedelta(days=life),
            )
        )  # fmt: skip
        burned = self.model.order(
            order_id, card, attempt, spent=spent, coins=coins, earned=earned, now=self.now,
            active=to_micros(at + timedelta(days=active)),
            expires=NEVER if life is None else to_micros(at + timedelta(days=life)),
        )  # fmt: skip
        assert (receipt.points_burned, receipt.coins_burned_minor, receipt.debt_repaid) == burned
        self.refundable.append(order_id)

    @rule(card=cards, merchant=merchants, points=small, coins=st.sampled_from([0, 0, 20]))
    def hold(self, card: str, merchant: str, points: int, coins: int) -> None:
        attempt = self.name("t")
        outcome = self.ask(
            lambda: self.books.hold(attempt, card, points, coins=coins, merchant=merchant)
        )
        expected = self.model.hold(attempt, card, points, coins, self.now)
        assert (type(outcome).__name__ if isinstance(outcome, Refusal) else "HELD") == expected
        if expected == "HELD":
            self.attempts.append((attempt, card))

    @rule(data=st.data())
    def release(self, data: Any) -> None:
        known = st.sampled_from(self.attempts) if self.attempts else st.nothing()
        attempt, card = data.draw(known | st.tuples(st.just(self.name("u")), cards))
        outcome = self.ask(lambda: self.books.release(attempt, card))
        freed = self.model.release(attempt, card, self.now)
        if not outcome.replayed:
            assert (outcome.points, outcome.coins_minor) == freed

    @rule(data=st.data(), kept=small, points=small, coins=st.sampled_from([0, 0, 10, 30]))
    def refund(self, data: Any, kept: int, points: int, coins: int) -> None:
        if not self.refundable:
            return
        order_id = data.draw(st.sampled_from(self.refundable))
        request = self.books.refund_of(
            order_id, self.name("r"), kept=kept, points=points, coins=coins
        )
        preview = self.run(self.books.ledger.preview_refund(request))
        receipt = self.ask(lambda: self.books.ledger.apply_refund(request))
        assert receipt == preview
        told = (
            receipt.points_clawed_back,
            receipt.debt_created,
            receipt.points_returned,
            receipt.coins_returned_minor,
            receipt.debt_repaid,
        )
        now = self.now
        assert told == self.model.refund(order_id, kept=kept, points=points, coins=coins, now=now)

    @rule(card=cards, coins=st.integers(1, 90), life=st.sampled_from([2, 30]))
    def grant(self, card: str, coins: int, life: int) -> None:
        now = self.books.now
        expires = now + timedelta(days=life)
        request = GrantCoins(self.name("g"), card, None, coins, "thanks", now, expires)
        self.ask(lambda: self.books.ledger.grant_coins(request))
        self.model.grant(card, coins, now=self.now, expires=to_micros(expires))

    @rule(passed=st.sampled_from([1, 10, 45]))
    def wait(self, passed: int) -> None:
        self.books.clock.set(self.books.now + timedelta(days=passed))

    @rule()
    def sweep(self) -> None:
        self.name("s")
        self.run(self.books.sweep())
        self.model.sweep(self.now)

    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        """An earlier request comes again: the first answer, and nothing changes."""
        if not self.asked:
            return
        self.name("again")
        number = data.draw(st.integers(0, len(self.asked) - 1))
        write, first = self.asked[number]
        again = self.run(answered(write()))
        if isinstance(again, Refusal):
            assert type(again).__name__ in (type(first).__name__, "AttemptReleased")
        else:
            assert again == replace(first, replayed=True)

    @invariant()
    def cards_have_what_the_model_says(self) -> None:
        names = ["m1", "m2", "m3"]
        for each in self.run(self.books.ledger.balances(names, now=self.books.now)):
            assert (
                each.available, each.held, each.pending, each.debt, each.coins_available,
                each.coins_held,
            ) == self.model.standing(each.card_id, self.now)  # fmt: skip

    @invariant()
    def the_books_are_sound(self) -> None:
        assert self.run(self.books.verify()).findings == ()
        [(left,)] = self.run(self.books.rows("SELECT coalesce(sum(remaining), 0) FROM lot"))
        assert left == self.model.units()
        positions = self.run(self.books.positions())
        assert sum(positions.values()) == 0
        assert positions.get("POOL", 0) == self.run(self.books.pool_backing())


async def answered(write: Any) -> Any:
    try:
        return await write
    except Refusal as refusal:
        return refusal


def operations_of(places: Places, *, examples: int, steps: int) -> int:
    """Runs the machine; how many operations it asked for."""
    machine = type("Machine", (LedgerMachine,), {"places": places, "operations": 0})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.operations


@pytest.mark.slow
@pytest.mark.both_databases
def test_the_ledger_does_what_the_model_does(places: Places) -> None:
    assert operations_of(places, examples=4, steps=40) > 75


@pytest.mark.soak
@pytest.mark.both_databases
def test_twenty_thousand_operations_go_as_in_the_model(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    operations = operations_of(places, examples=500, steps=60)

    with capsys.disabled():
        print(f"{places.kind}: {operations} operations")
    assert operations >= 20_000
