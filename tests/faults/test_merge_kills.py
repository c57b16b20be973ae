"""A process that dies between any two steps of a merge leaves two members, or one; never else."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.checkout.capture import CaptureCheckout, capture
from gateway.checkout.hold import HoldCheckout, hold
from gateway.checkout.quote import quote
from gateway.checkout.release import ReleaseCheckout, release
from gateway.checkout.sale import Checkout, checkout
from gateway.membership.erasure import EraseMember
from gateway.merging.merges import MergeMembers
from gateway.merging.partings import UnmergeMembers
from kernel.refusals import Refusal
from merchants.ladders.paid import PaidPlan
from merchants.ladders.selling import sell_plan, set_plan
from tests.faults.test_checkout_kills import Death, Killed, running
from tests.gateway.checkout.town import (
    ADMIN,
    START,
    Names,
    StandingClock,
    Town,
    found_town,
)

PAID_ROWS = (
    "SELECT paid_id, card_id, starts_at, ends_at, refunded_at, refunded_minor"
    " FROM paid_membership ORDER BY 1"
)
EVERYTHING = (
    (0, "SELECT account, posted, held FROM account ORDER BY 1"),
    (0, "SELECT id, card_id, remaining, held, expires_at FROM lot ORDER BY 1"),
    (0, "SELECT id, card_id, open FROM debt ORDER BY 1"),
    (0, "SELECT attempt_id, card_id, state FROM hold ORDER BY 1"),
    (0, "SELECT account, sum(amount) FROM position GROUP BY 1 ORDER BY 1"),
    (0, "SELECT card_id, other_id, is_survivor, is_undone FROM card_alias ORDER BY 1, 2"),
    (1, "SELECT merchant_id, coupon_id, card_id, state FROM coupon ORDER BY 1, 2"),
    (1, "SELECT merchant_id, order_no, card_id, membership_id, state FROM sale ORDER BY 1, 2"),
    (1, "SELECT merchant_id, card_id, order_count, amount_minor FROM card_metric ORDER BY 1, 2"),
    (1, "SELECT merchant_id, card_id, membership_id FROM membership ORDER BY 1, 2"),
    (1, "SELECT merchant_id, card_id, survivor_id FROM card_alias ORDER BY 1, 2"),
    (1, PAID_ROWS),
    (1, "SELECT card_id, cause, rank, starts_at, ends_at FROM tier_floor ORDER BY 1, 2"),
)


@dataclasses.dataclass
class Seed:
    """A town that was closed: Ann and Bob have points, coins, coupons and a paid year of tea each.

    Bob has an open checkout, and bought another year.
    """

    directory: Path
    names: Names
    members: dict[str, str]
    checkout_id: str


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    directory = tmp_path_factory.mktemp("seed")

    async def found() -> Seed:
        town = await found_town(directory, StandingClock(START))
        await town.join("bob", town.names.tea)
        for number, card in enumerate(("ann", "bob")):
            sold = Checkout(f"sale-{number}", town.cart(80_000, card=card), f"no-{number}")
            await checkout(town.desk, town.till(), sold)
            await town.grant_coins(1_000, card)
            await town.coupon(1_000, card=card)
            await town.alliance_coupon(500, card=card)
        await sell_years(town, "ann", "bob", "bob")
        cart = town.cart(10_000, card="bob", points=300)
        quoted = await quote(town.desk, town.till(), cart)
        held = await hold(town.desk, town.till(), HoldCheckout("hold", cart, quoted.priced.version))
        await town.alliance.sweepers.run_once()
        rows = await town.rows(town.alliance.database, "SELECT id, member_id FROM card")
        members = dict(rows)
        made = Seed(
            directory,
            town.names,
            {name: members[card_id] for name, card_id in town.names.cards.items()},
            held.checkout_id,
        )
        await town.close()
        return made

    return asyncio.run(found())


async def sell_years(town: Town, *cards: str) -> None:
    """Sells each a paid year of tea, each ten days later than the one before."""
    year = PaidPlan("YEAR", 1, "年卡", None, 36_500, 12, rank=1)

    def work(connection: Any) -> None:
        set_plan(connection, town.names.tea, year)
        for number, card in enumerate(cards):
            sell_plan(
                connection,
                town.names.tea,
                town.names.cards[card],
                code=year.code,
                reference=f"year-{number}",
                paid_id=f"pam-{number}",
                now=START - timedelta(days=30 - 10 * number),
            )

    await town.databases[1].transaction(work)


async def merge(town: Town, seed: Seed) -> None:
    await town.alliance.merges.merge(
        ADMIN, MergeMembers("merge", seed.members["ann"], seed.members["bob"])
    )


async def state_of(town: Town, seed: Seed) -> dict[str, Any]:
    """Everything that a merge moves, anywhere."""
    state: dict[str, Any] = {
        f"{database}: {query}": await town.rows(town.databases[database], query)
        for database, query in EVERYTHING
    }
    for query in (
        "SELECT id, status, merged_into FROM member ORDER BY 1",
        "SELECT id, member_id, card_id FROM membership ORDER BY 1",
        "SELECT state FROM member_merge",
    ):
        state[query] = await town.rows(town.alliance.database, query)
    return state


async def life(
    seed: Seed, directory: Path, *, die_at: int, then: str
) -> tuple[str, list[str], bool]:
    """The state in the end, the steps reached before the death, and whether there was one."""
    shutil.copytree(seed.directory, directory)
    death = Death(die_at)
    died = False
    async with running(directory, seed.names, death) as town:
        try:
            await merge(town, seed)
        except Killed:
            died = True
    async with running(directory, seed.names) as town:
        if died and then == "repeat":
            await merge(town, seed)
        elif died:
            await asyncio.gather(town.sweepers.run_once(), town.sweepers.run_once())
        await capture(
            town.desk, town.till(), CaptureCheckout("capture", seed.checkout_id, "no-held")
        )
        return json.dumps(await state_of(town, seed), default=repr), death.seen, died


@pytest.mark.slow
@pytest.mark.parametrize("then", ["repeat", "sweep"])
async def test_a_kill_between_any_two_steps_ends_merged(
    seed: Seed, tmp_path: Path, then: str
) -> None:
    expected, steps, _ = await life(seed, tmp_path / "whole", die_at=0, then="repeat")
    assert steps[0] == "merge.begun"
    refunded = [row for row in json.loads(expected)[f"1: {PAID_ROWS}"] if row[4] is not None]
    assert [(row[0], row[5] > 0) for row in refunded] == [("pam-0", True)]
    assert {"merge.ledger", "merge.wallet", "merge.done", "merge.answered"} <= set(steps)
    for die_at in range(1, len(steps) + 1):
        state, seen, died = await life(seed, tmp_path / str(die_at), die_at=die_at, then=then)
        assert died
        assert state == expected, seen


@pytest.mark.slow
async def test_a_kill_between_any_two_steps_of_undoing_ends_parted(
    seed: Seed, tmp_path: Path
) -> None:
    async def life(directory: Path, *, die_at: int) -> tuple[str, list[str]]:
        shutil.copytree(seed.directory, directory)
        async with running(directory, seed.names) as town:
            await release(town.desk, town.till(), ReleaseCheckout("free", seed.checkout_id))
            await merge(town, seed)
        death = Death(die_at)
        command = UnmergeMembers("undo", seed.members["bob"])
        async with running(directory, seed.names, death) as town:
            with contextlib.suppress(Killed):
                await town.alliance.merges.partings.unmerge(ADMIN, command)
        async with running(directory, seed.names) as town:
            await asyncio.gather(town.sweepers.run_once(), town.sweepers.run_once())
            parted = await town.alliance.merges.partings.unmerge(ADMIN, command)
            assert parted.merged_id == seed.members["bob"]
            return json.dumps(await state_of(town, seed), default=repr), death.seen

    expected, steps = await life(tmp_path / "whole", die_at=0)
    assert {"unmerge.begun", "unmerge.ledger", "unmerge.wallet", "unmerge.done"} <= set(steps)
    for die_at in range(1, len(steps) + 1):
        state, seen = await life(tmp_path / str(die_at), die_at=die_at)
        assert state == expected, seen


@pytest.mark.slow
async def test_a_kill_between_any_two_steps_of_erasing_ends_erased(
    seed: Seed, tmp_path: Path
) -> None:
    async def life(directory: Path, *, die_at: int) -> tuple[str, list[str]]:
        shutil.copytree(seed.directory, directory)
        death = Death(die_at)
        command = EraseMember("erase", seed.members["ann"], forfeit=True)
        async with running(directory, seed.names, death) as town:
            with contextlib.suppress(Killed):
                await town.alliance.erasure.erase(ADMIN, command)
        async with running(directory, seed.names) as town:
            await asyncio.gather(town.sweepers.run_once(), town.sweepers.run_once())
            erased = await town.alliance.erasure.erase(ADMIN, command)
            assert erased.member_id == seed.members["ann"]
            return json.dumps(await state_of(town, seed), default=repr), death.seen

    expected, steps = await life(tmp_path / "whole", die_at=0)
    assert {"erasure.begun", "erasure.ledger", "erasure.wallet"} <= set(steps)
    for die_at in range(1, len(steps) + 1):
        state, seen = await life(tmp_path / str(die_at), die_at=die_at)
        assert state == expected, seen


async def test_a_refused_merge_leaves_everything_untouched(seed: Seed, tmp_path: Path) -> None:
    shutil.copytree(seed.directory, tmp_path / "town")
    async with running(tmp_path / "town", seed.names) as town:
        before = await state_of(town, seed)
        with pytest.raises(Refusal):
            await town.alliance.merges.merge(
                ADMIN, MergeMembers("merge", seed.members["ann"], "mem_nobody")
            )

        assert await state_of(town, seed) == before


async def test_a_repeat_after_the_merge_gets_the_first_answer(seed: Seed, tmp_path: Path) -> None:
    shutil.copytree(seed.directory, tmp_path / "town")
    async with running(tmp_path / "town", seed.names) as town:
        command = MergeMembers("merge", seed.members["ann"], seed.members["bob"])
        first = await town.alliance.merges.merge(ADMIN, command)
        again = await town.alliance.merges.merge(ADMIN, command)

        assert (first.survivor_id, first.replayed) == (seed.members["ann"], False)
        assert (again.survivor_id, again.replayed) == (seed.members["ann"], True)
