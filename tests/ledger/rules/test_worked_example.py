"""March of three merchants, every figure computed by hand."""

from datetime import timedelta

from tests.ledger.book import Books


async def test_every_event_of_the_worked_march_moves_what_was_computed_by_hand(
    books: Books,
) -> None:
    await books.order("o0", "C", "m2", earned=333, expires_in=timedelta(days=3))
    opening = await books.positions()
    moved = opening

    async def change() -> dict[str, int]:
        nonlocal moved
        before, moved = moved, await books.positions()
        return {
            party: moved.get(party, 0) - before.get(party, 0)
            for party in sorted({*before, *moved})
            if moved.get(party, 0) != before.get(party, 0)
        }

    await books.order("o1", "A", "m1", earned=500)
    assert await change() == {"A": -525, "ALLIANCE": 25, "POOL": 500}

    await books.order("o2", "C", "m1", earned=120)
    assert await change() == {"C": -126, "ALLIANCE": 6, "POOL": 120}

    await books.hold("t3", "m1", 550, merchant="B")
    await books.order("o3", "B", "m1", spent=550, attempt="t3")
    assert await change() == {"B": 539, "ALLIANCE": 11, "POOL": -550}

    await books.order("o4", "B", "m1", earned=54)
    assert await change() == {"B": -57, "ALLIANCE": 3, "POOL": 54}

    refund = await books.refund("o1", "r1", kept=300)
    assert await change() == {"A": 130, "ALLIANCE": -6, "POOL": -124}
    assert (refund.points_clawed_back, refund.debt_created) == (200, 76)
    assert (await books.standing("m1")).debt == 76

    repaying = await books.order("o6", "C", "m1", earned=100)
    assert repaying.debt_repaid == 76
    assert await change() == {"A": 80, "ALLIANCE": 5 - 4, "C": -105, "POOL": 100 - 76}

    standing = await books.standing("m1")
    assert (standing.available, standing.debt) == (24, 0)

    books.clock.set(books.now + timedelta(days=3))
    assert await books.sweep() == 1
    assert await change() == {"ALLIANCE": 166, "C": 167, "POOL": -333}

    positions = await books.positions()
    net = {party: amount - opening.get(party, 0) for party, amount in positions.items()}
    assert net == {"A": -315, "B": 482, "C": -64, "ALLIANCE": 206, "POOL": -309}
    assert sum(net.values()) == 0
    assert positions["POOL"] == await books.pool_backing() == 24
    assert (await books.verify()).findings == ()
