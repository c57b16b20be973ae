"""Every invariant is watched: whoever edits a row is found, and the row is named."""

import apsw
import pytest

from kernel.database.sqlite_dialect import connect
from tests.ledger.book import Books


@pytest.fixture
def lanes() -> int:
    """One: rows are named by their numbers, which each lane counts for itself."""
    return 1


pytestmark = pytest.mark.sqlite  # Rows are edited behind the ledger's back, in its file.

TAMPERED = {
    "a leg's amount": (
        "UPDATE entry SET amount = amount + 1 WHERE seq = 2 AND leg = 0",
        "V1",
        "transaction 2 in POINTS",
    ),
    "an account": (
        "UPDATE account SET posted = posted + 1 WHERE account = 'points:issued'",
        "V2",
        "account points:issued",
    ),
    "a position": (
        "UPDATE position SET amount = amount + 1 WHERE account = 'B' AND kind = 'BURN'",
        "V2-positions",
        "position of B in month 24314, BURN",
    ),
    "a count": (
        "UPDATE position SET entries = 9 WHERE account = 'B' AND kind = 'BURN'",
        "V2-positions",
        "position of B in month 24314, BURN",
    ),
    "a lot and its movement": (
        "UPDATE lot SET remaining = remaining - 1, residual = residual - 1 WHERE id = 1;"
        "UPDATE lot_move SET amount = amount - 1, funding = funding - 1 WHERE lot_id = 1 "
        "AND amount > 0",
        "V3",
        "account points:m1",
    ),
    "a movement": (
        "UPDATE lot_move SET amount = amount + 1 WHERE lot_id = 1 AND amount > 0",
        "V4",
        "lot 1",
    ),
    "an account's hold": (
        "UPDATE account SET held = held + 1 WHERE account = 'points:m1'",
        "V5",
        "account points:m1",
    ),
    "a lot's hold": ("UPDATE lot SET held = held + 1 WHERE id = 1", "V6", "lot 1"),
    "a transaction": ("DELETE FROM ledger_tx WHERE seq = 2", "V7", "entry of transaction 2"),
    "an entry's period": (
        "UPDATE entry SET month = month + 1 WHERE seq = 2 AND leg = 0",
        "V7",
        "entry of transaction 2",
    ),
    "a movement's place": (
        "UPDATE lot_move SET seq = 99 WHERE seq = 2",
        "V7",
        "movement of transaction 99",
    ),
    "a transaction's entries": ("DELETE FROM entry WHERE seq = 3", "V7", "transaction 3"),
    "a leg without company": (
        "INSERT INTO entry VALUES (0, 2, 9, 'A', 'COINS', 'EARN', 0, 1, 24314, NULL, NULL)",
        "V1",
        "transaction 2 in COINS",
    ),
    "a line of a card": (
        "UPDATE card_entry SET seq = 99 WHERE card_id = 'm1' AND seq = 1",
        "V7-cards",
        "card entry of transaction 99",
    ),
    "a period's money": (
        "UPDATE entry SET amount = amount + 1 WHERE seq = 2 AND account = 'A'",
        "V8",
        "SETTLEMENT",
    ),
    "a request": ("DELETE FROM ledger_request WHERE tx_seq = 2", "V11", "transaction 2"),
    "a second request": (
        "INSERT INTO ledger_request SELECT lane, operation, 'again', request_hash, outcome, "
        "tx_seq, receipt, created_at FROM ledger_request WHERE tx_seq = 2",
        "V11",
        "transaction 2",
    ),
    "a request of what none is behind": (
        "UPDATE ledger_tx SET kind = 'EXPIRY' WHERE seq = 2",
        "V11",
        "transaction 2",
    ),
    "a request of no transaction": (
        "UPDATE ledger_request SET tx_seq = 99 WHERE tx_seq = 6",
        "V11",
        "transaction 6",
    ),
    "the pool": (
        "UPDATE position SET amount = amount + 7 WHERE account = 'POOL' AND kind = 'ISSUE'",
        "pool",
        "pool 487, lots 480",
    ),
    "a debt": ("UPDATE debt SET open = open - 1", "debt", "account debt:m2"),
    "a history": (
        "UPDATE card_entry SET points = points + 1 WHERE card_id = 'm1' AND seq = 1",
        "history",
        "card m1",
    ),
    "a funding that is more than the database can multiply": (
        "UPDATE lot SET funding = funding + 4611686018427387904 WHERE id = 1",
        "funding",
        "lot 1",
    ),
    "a lot's funding": (
        "UPDATE lot SET funding = funding * 3 WHERE id = 1",
        "funding",
        "lot 1",
    ),
}


async def some_history(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.order("o2", "A", "m2", earned=100)
    await books.order("o3", "B", "m1", spent=100)
    await books.order("o4", "B", "m2", spent=100)
    await books.refund("o2", "r1", kept=0)
    await books.hold("t1", "m1", 50)
    await books.order("o5", "C", "m3", earned=80)


def tamper(books: Books, script: str) -> None:
    raw = connect(books.path)
    triggers = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    raw.execute(";".join(f"DROP TRIGGER {name}" for (name,) in triggers))
    raw.execute(script)
    raw.close()


TX = ("reason", "created_at", "order_no", "effective_at")


@pytest.mark.parametrize(
    ("script", "block"),
    [
        *((f"UPDATE ledger_tx SET {column} = 7 WHERE seq = 3", 3) for column in TX),
        ("UPDATE entry SET rule_version = 2 WHERE seq = 4 AND asset = 'SETTLEMENT'", 4),
        ("UPDATE block SET hash = zeroblob(32) WHERE seq = 2", 2),
        ("DELETE FROM block WHERE seq = 5", 6),
        ("DELETE FROM block WHERE seq = 6", 6),
        ("INSERT INTO block VALUES (0, 9, zeroblob(32))", 9),
    ],
)
async def test_the_first_block_that_does_not_fit_is_named(
    books: Books, script: str, block: int
) -> None:
    await some_history(books)

    tamper(books, script)

    found = {finding.invariant: finding.row for finding in (await books.verify()).findings}
    assert found == {"V9": f"block {block}"}


async def test_the_newest_block_tells_histories_apart(books: Books) -> None:
    assert (await books.verify()).head is None
    heads = set()
    for number in range(3):
        await books.order(f"o{number}", "A", "m1", earned=5)
        heads.add((await books.verify()).head)

    assert len(heads) == 3
    assert {len(head or "") for head in heads} == {64}


async def test_a_sound_book_has_no_findings(books: Books) -> None:
    await some_history(books)

    report = await books.verify()

    assert report.is_sound
    assert (report.transactions, report.lots) == (6, 3)


@pytest.mark.parametrize("what", TAMPERED)
async def test_whoever_edits_a_row_is_found(books: Books, what: str) -> None:
    script, invariant, row = TAMPERED[what]
    await some_history(books)

    tamper(books, script)

    found = {finding.invariant: finding.row for finding in (await books.verify()).findings}
    assert found.get(invariant) == row, found


@pytest.mark.parametrize("table", ["entry", "lot_move", "ledger_tx", "card_entry"])
@pytest.mark.parametrize("action", ["DELETE FROM {}", "UPDATE {} SET seq = seq + 1"])
async def test_what_was_booked_can_be_neither_changed_nor_deleted(
    books: Books, table: str, action: str
) -> None:
    await some_history(books)

    raw = connect(books.path)
    with pytest.raises(apsw.ConstraintError, match="for ever"):
        raw.execute(action.format(table))
    raw.close()


async def test_a_period_that_was_tampered_with_does_not_close(books: Books) -> None:
    from tests.ledger.clearing.test_periods import APRIL_2, CLOSE, MARCH, period_id

    await some_history(books)
    tamper(books, "UPDATE entry SET amount = amount + 1 WHERE seq = 2 AND account = 'A'")
    books.clock.set(APRIL_2)

    answer = await books.ask(CLOSE, input={"requestId": "x", "periodId": period_id(MARCH)})

    assert "transaction 2 in SETTLEMENT" in answer.errors[0].message
    assert await books.rows("SELECT * FROM period") == []


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE ledger_tx SET order_no = 'another' WHERE seq = 2",
        "UPDATE ledger_tx SET created_at = created_at - 1 WHERE seq = 1",
        "UPDATE entry SET points = points + 1 WHERE seq = 2 AND asset = 'POINTS' AND leg = 0",
    ],
)
async def test_whoever_rewrites_a_closed_period_is_found_though_it_still_balances(
    books: Books, script: str
) -> None:
    from tests.ledger.clearing.test_periods import APRIL_2, CLOSE, MARCH, period_id

    await some_history(books)
    books.clock.set(APRIL_2)
    await books.ask(CLOSE, input={"requestId": "x", "periodId": period_id(MARCH)})
    assert (await books.verify()).is_sound

    tamper(books, script)

    found = {(finding.invariant, finding.row) for finding in (await books.verify()).findings}
    assert ("journal", f"month {MARCH}") in found
