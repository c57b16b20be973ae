"""A period's export adds up in a stranger's hands, and never changes once it is closed."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.units import Ratio
from ledger.reports.export import ExportFormat, NothingToExport, csv_value
from ledger.reports.months import label_of, month_of_label
from ledger.rules.state import RuleTerms
from tests.ledger.book import Books
from tests.ledger.clearing.test_periods import MARCH, close

MARCH_31 = datetime(2026, 3, 31, tzinfo=UTC)
APRIL_2 = datetime(2026, 4, 2, tzinfo=UTC)
MAY_2 = datetime(2026, 5, 2, tzinfo=UTC)
NDJSON, CSV = ExportFormat.NDJSON, ExportFormat.CSV
RECIPE = re.search(
    r"```python\n(.*?)```", Path("docs/rules/export.md").read_text(encoding="utf-8"), re.S
)


async def exported(
    books: Books, how: ExportFormat, month: int = MARCH, merchant: str | None = None
) -> bytes:
    written: list[bytes] = []
    await books.subgraph.export(month, how, written.append, merchant_id=merchant)
    return b"".join(written)


async def a_busy_march(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    await books.order('o,"2"\n\'ß', "B", "m1", spent=200, earned=10)
    await books.grant("g1", "m2", 333, funder="C")
    await books.set_rule(RuleTerms(Ratio(1, 3), Ratio(1, 3)))
    await books.order("o3", "C", "m2", coins=100, earned=7)
    await books.refund("o1", "r1", kept=400)


def run_recipe(tmp_path: Path, text: bytes) -> subprocess.CompletedProcess[str]:
    assert RECIPE is not None
    (tmp_path / "recipe.py").write_text(RECIPE[1], encoding="utf-8")
    (tmp_path / "export.ndjson").write_bytes(text)
    return subprocess.run(
        [sys.executable, "recipe.py", "export.ndjson"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_a_stranger_adds_a_closed_period_up_with_the_program_in_the_documents(
    books: Books, tmp_path: Path
) -> None:
    await a_busy_march(books)
    books.clock.set(APRIL_2)
    journal_hash = (await close(books, MARCH))["period"]["journalHash"]

    text = await exported(books, NDJSON)
    told = run_recipe(tmp_path, text)

    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("2026-03 adds up:")
    assert hashlib.sha256(text.split(b"\n", 1)[1]).hexdigest() == journal_hash
    assert len(text.splitlines()) - 1 == len(await books.rows("SELECT 1 FROM entry"))


@pytest.mark.parametrize("line", [1, 5, -1])
async def test_the_program_tells_when_a_line_is_missing(
    books: Books, tmp_path: Path, line: int
) -> None:
    await a_busy_march(books)
    lines = (await exported(books, NDJSON)).splitlines(keepends=True)
    del lines[line]

    assert run_recipe(tmp_path, b"".join(lines)).returncode == 1


async def test_the_program_tells_when_an_amount_moved_between_parties(
    books: Books, tmp_path: Path
) -> None:
    await a_busy_march(books)
    books.clock.set(APRIL_2)
    await close(books, MARCH)
    text = await exported(books, NDJSON)

    told = run_recipe(tmp_path, text.replace(b'"A","SETTLEMENT"', b'"B","SETTLEMENT"', 1))

    assert "the nets are others" in told.stderr


@pytest.mark.parametrize("how", [NDJSON, CSV])
async def test_late_refunds_leave_a_closed_period_as_it_was_to_the_byte(
    books: Books, how: ExportFormat, tmp_path: Path
) -> None:
    await a_busy_march(books)
    books.clock.set(APRIL_2)
    await close(books, MARCH)
    before = await exported(books, how)
    of_a = await exported(books, how, merchant="A")

    await books.refund("o1", "r2", kept=0, at=MARCH_31)
    await books.order("o9", "A", "m1", earned=9)
    books.clock.set(MAY_2)
    await close(books, MARCH + 1, "april")

    assert await exported(books, how) == before
    assert await exported(books, how, merchant="A") == of_a
    april = await exported(books, NDJSON, MARCH + 1)
    assert run_recipe(tmp_path, april).returncode == 0
    assert f",{MARCH},".encode() in april


async def test_csv_and_ndjson_tell_the_same(books: Books) -> None:
    await a_busy_march(books)
    header, *lines = (await exported(books, NDJSON)).splitlines()
    first, rest = (await exported(books, CSV)).decode().split("\n", 1)
    rows = list(csv.reader(io.StringIO(rest, newline="")))

    assert first == "# " + header.decode()
    assert rows[0] == json.loads(header)["columns"]
    assert rows[1:] == [
        ["" if value is None else str(value) for value in json.loads(line)] for line in lines
    ]


@given(st.text())
def test_any_text_comes_back_from_csv(text: str) -> None:
    [row] = csv.reader(io.StringIO(csv_value(text) + ",1", newline=""), strict=True)
    marked = text[:1] in tuple("=+-@\t\r\n＝＋－＠'")
    assert row == ["'" + text if marked and text else text, "1"]


@pytest.mark.parametrize("begins", list("=+-@\t\r\n＝＋－＠"))
def test_no_spreadsheet_runs_a_text_of_a_csv_as_a_formula(begins: str) -> None:
    assert csv_value(begins + "1+1") == f'"\'{begins}1+1"'
    assert csv_value("'=1+1") == "\"''=1+1\""
    assert csv_value(-5) == "-5"


async def test_a_period_of_several_lanes_adds_up_and_its_legs_have_ids_of_their_own(
    tmp_path: Path,
) -> None:
    """Numbers of transactions count within a lane: two lanes have the same ones."""
    books = await Books.open(tmp_path / "lanes.db", lanes=4)
    for count in range(12):
        await books.order(f"o{count}", "A", f"m{count}", earned=100 + count)

    told = run_recipe(tmp_path, await exported(books, NDJSON))
    part = (await exported(books, NDJSON, merchant="A")).splitlines()[1:]
    listed = await books.ask(
        """{ clearingPeriods { nodes { statements { nodes {
          entries(first: 100) { nodes { id } } } } } } }"""
    )

    ids = [json.loads(line)[0] for line in part]
    assert told.returncode == 0, told.stderr
    assert len(ids) == len(set(ids)) == 24
    assert listed.errors is None, listed.errors
    assert set(ids) <= set(re.findall(r"leg_\w+", str(listed.data)))
    await books.close()


async def test_a_merchants_part_is_its_statement_and_names_nobody_else(books: Books) -> None:
    await a_busy_march(books)
    await books.order("o4", "C", "m1", earned=100)
    await books.refund("o1", "r2", kept=0)
    header, *lines = map(json.loads, (await exported(books, NDJSON, merchant="A")).splitlines())

    listed = await books.ask(
        """query ($id: ID!, $period: ID!) {
          _entities(representations: [{__typename: "Merchant", id: $id}]) {
            ... on Merchant { statement(periodId: $period) {
              net { amountMinor }
              entries(first: 100) { nodes { id amount { amountMinor } orderNo } }
            } }
          }
        }""",
        id="A",
        period=(await books.ask("{ clearingPeriods { nodes { id } } }")).data["clearingPeriods"][
            "nodes"
        ][0]["id"],
    )
    statement = listed.data["_entities"][0]["statement"]

    place = {name: index for index, name in enumerate(header["columns"])}
    assert header["totals"]["sum"] == statement["net"]["amountMinor"]
    assert [
        (line[place["id"]], line[place["amount"]], line[place["order_no"]]) for line in lines
    ] == [
        (each["id"], each["amount"]["amountMinor"], each["orderNo"])
        for each in statement["entries"]["nodes"]
    ]
    assert "m1" not in str(lines)
    assert {line[place["order_no"]] for line in lines} == {"no-o1"}


async def test_the_sums_of_the_merchants_parts_are_the_nets_of_the_whole(books: Books) -> None:
    await a_busy_march(books)
    whole = json.loads((await exported(books, NDJSON)).splitlines()[0])
    parts: Counter[str] = Counter()
    for party in ("A", "B", "C", "ALLIANCE", "POOL"):
        header = json.loads((await exported(books, NDJSON, merchant=party)).splitlines()[0])
        parts[party] = header["totals"]["sum"]

    assert parts == Counter(whole["nets"])
    assert sum(parts.values()) == 0


async def test_a_merchant_without_entries_has_no_part(books: Books) -> None:
    await books.order("o1", "A", "m1", earned=500)
    written: list[bytes] = []

    with pytest.raises(NothingToExport):
        await books.subgraph.export(MARCH, CSV, written.append, merchant_id="B")
    assert written == []


@given(st.integers(min_value=12, max_value=9999 * 12 + 11))
def test_a_month_is_read_as_it_is_written(month: int) -> None:
    assert month_of_label(label_of(month)) == month


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-03", "2026-3", "2026-٠٣", "2026/03"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a month"):
        month_of_label(text)
