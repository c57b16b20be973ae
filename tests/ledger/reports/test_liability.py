"""What became of an issuer's points: every point is in exactly one column."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.assembly.databases import Databases
from gateway.cli import app
from ledger.reports.liability import read_cohorts
from tests.ledger.book import ADMIN, Books, merchant

SHOW = """
query ($id: ID!) {
  _entities(representations: [{__typename: "Merchant", id: $id}]) {
    ... on Merchant {
      liability {
        expectedRedemptionBps
        lines {
          month ageMonths issued returned redeemedHere redeemedElsewhere expired takenBack
          outstanding outstandingFunding { amountMinor }
        }
      }
    }
  }
}
"""
FIGURES = (
    "issued",
    "returned",
    "redeemedHere",
    "redeemedElsewhere",
    "expired",
    "takenBack",
    "outstanding",
)


async def shown(books: Books, issuer: str) -> tuple[int, list[tuple]]:
    """The expected rate, and month, figures and funding of each line."""
    answer = await books.ask(SHOW, merchant(issuer), id=issuer)
    assert answer.errors is None, answer.errors
    liability = answer.data["_entities"][0]["liability"]
    lines = [
        (
            line["month"],
            *(line[name] for name in FIGURES),
            line["outstandingFunding"]["amountMinor"],
        )
        for line in liability["lines"]
    ]
    return liability["expectedRedemptionBps"], lines


async def test_points_are_told_apart_by_what_became_of_them(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500, expires_in=timedelta(days=60))
    await books.order("o2", "A", "m1", spent=50)
    await books.order("o3", "B", "m1", spent=100)
    await books.refund("o3", "r1", kept=0, points=30)
    await books.refund("o1", "r1", kept=480)
    books.clock.set(books.now + timedelta(days=40))
    await books.order("o4", "A", "m1", earned=7)
    books.clock.set(books.now + timedelta(days=40))
    await books.sweep()

    rate, lines = await shown(books, "A")

    assert lines == [
        ("2026-03", 500, 30, 50, 100, 360, 20, 0, 0),
        ("2026-04", 7, 0, 0, 0, 0, 0, 7, 7),
    ]
    assert rate == 10_000 * 120 // 480


async def test_points_returned_after_their_lot_expired_are_returned_in_the_month_of_the_refund(
    books: Books,
) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=10))
    await books.order("o2", "B", "m1", spent=40)
    books.clock.set(books.now + timedelta(days=40))
    await books.sweep()
    await books.refund("o2", "r1", kept=0, points=40)

    _, lines = await shown(books, "A")

    assert lines == [
        ("2026-03", 100, 0, 0, 40, 60, 0, 0, 0),
        ("2026-04", 0, 40, 0, 0, 0, 0, 40, 40),
    ]


async def test_what_a_hold_frees_of_an_expired_lot_is_expired(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=100, expires_in=timedelta(days=10))
    await books.hold("x", "m1", 70)
    books.clock.set(books.now + timedelta(days=11))
    await books.order("o2", "B", "m1", spent=20, attempt="x")
    await books.sweep()

    assert (await shown(books, "A"))[1] == [("2026-03", 100, 0, 0, 20, 80, 0, 0, 0)]


async def test_until_anything_is_gone_no_breakage_is_expected(books: Books) -> None:
    assert await shown(books, "A") == (10_000, [])
    await books.order("o1", "A", "m1", earned=100)
    assert (await shown(books, "A"))[0] == 10_000


@pytest.mark.parametrize("seed", range(5))
async def test_every_point_of_any_history_is_in_one_column(books: Books, seed: int) -> None:
    chance = random.Random(seed)
    for step in range(80):
        what, party = chance.random(), chance.choice("ABC")
        card = chance.choice(("m1", "m2"))
        if what < 0.4:
            life = timedelta(days=chance.randrange(1, 60))
            await books.order(
                f"o{step}", party, card, earned=chance.randrange(1, 99), expires_in=life
            )
        elif what < 0.6:
            await books.order(f"o{step}", party, card, spent=chance.randrange(1, 80))
        elif what < 0.7:
            standing = await books.standing(card)
            if standing.available and not standing.debt:
                await books.hold(f"x{step}", card, chance.randrange(1, standing.available + 1))
                books.clock.set(books.now + timedelta(days=chance.randrange(0, 20)))
                if chance.random() < 0.5:
                    await books.release(f"x{step}", card)
                else:
                    await books.order(
                        f"o{step}", party, card, attempt=f"x{step}", spent=chance.randrange(1, 50)
                    )
        elif known := list(books._merchant_of_order):
            await books.refund(
                chance.choice(known), f"r{step}", kept=chance.randrange(60),
                points=chance.randrange(40),
            )  # fmt: skip
        books.clock.set(books.now + timedelta(days=chance.randrange(0, 5)))
        if chance.random() < 0.3:
            await books.sweep()

    cohorts = await books.subgraph.context_for(ADMIN, "", "").read(read_cohorts)
    for each in cohorts:
        assert each.issued + each.returned == (
            each.redeemed_here + each.redeemed_elsewhere + each.expired + each.taken_back
            + each.outstanding
        )  # fmt: skip
        assert min(each.expired, each.taken_back, each.outstanding, each.returned) >= 0
    [(earned,)] = await books.rows("SELECT sum(earned) FROM order_state")
    [(burned,)] = await books.rows("SELECT sum(amount) FROM burn")
    [(expired,)] = await books.rows("SELECT -sum(points) FROM card_entry WHERE kind = 'EXPIRY'")
    assert sum(each.issued for each in cohorts) == earned
    assert sum(each.redeemed_here + each.redeemed_elsewhere for each in cohorts) == burned
    assert sum(each.expired for each in cohorts) == (expired or 0)
    assert sum(each.funding_minor for each in cohorts) == await books.pool_backing()


async def test_all_issuers_are_written_as_csv(tmp_path: Path) -> None:
    books = await Books.open(Databases.in_files_of(tmp_path).ledger)
    await books.order("o1", "A", "m1", earned=500)
    await books.order("o2", "B", "m1", spent=50, earned=3)
    await books.close()

    command = ["liability", "--data", str(tmp_path)]
    result = await asyncio.to_thread(CliRunner().invoke, app, command)

    header, *rows = (line.split(",") for line in result.stdout.splitlines())
    assert header[:4] == ["issuer", "month", "age_months", "issued"]
    assert [(row[0], row[1], *row[3:]) for row in rows] == [
        ("A", "2026-03", *["500", "0", "0", "50", "0", "0", "450", "450", "10000"]),
        ("B", "2026-03", *["3", "0", "0", "0", "0", "0", "3", "3", "10000"]),
    ]
