"""Holds the house to docs/architecture.md: rooms, sizes, names, and who may name real time."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("kernel", "ledger", "merchants", "gateway")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LINES_MAX = 400
SAYS_NOTHING = re.compile(r"^_?(utils?|helpers?|common|base|manager|misc|service|part_?\d+)\d*$")
# Nobody tells a revision what time it is; one lets begin what waits in vain.
MAY_NAME_THE_REAL_CLOCK = {"kernel", "gateway/commands", "merchants/migrations/versions"}


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_room_is_on_the_plan() -> None:
    plan = (ROOT / "docs/architecture.md").read_text()
    rooms = {shown(path.parent) for path in SOURCES if path.name == "__init__.py"}
    top = {room for room in rooms if room.count("/") <= 1}

    missing = sorted(room for room in top if f"`{room}/`" not in plan)

    assert missing == []


def test_the_plan_names_only_rooms_and_files_that_stand() -> None:
    plan = (ROOT / "docs/architecture.md").read_text()
    named = re.findall(r"`((?:kernel|ledger|merchants|gateway)/[\w/.]*)`", plan)

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_file_is_short_and_its_name_says_something(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LINES_MAX
    assert not SAYS_NOTHING.match(path.stem)


def test_only_the_edge_names_the_real_clock() -> None:
    naming = {
        shown(path.parent)
        for path in SOURCES
        if any(
            isinstance(node, ast.Name) and node.id == "SystemClock"
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }

    assert naming <= MAY_NAME_THE_REAL_CLOCK


def test_what_is_pure_knows_no_framework() -> None:
    banned = {"strawberry", "sqlmodel", "sqlalchemy", "starlette", "asyncio"}
    pure = [path for path in SOURCES if is_pure(path)]

    found = [
        f"{shown(path)}: {name}"
        for path in pure
        for name in imported(path)
        if name.split(".")[0] in banned
    ]

    assert len(pure) >= 60
    assert found == []


def is_pure(path: Path) -> bool:
    """Whether it stands in a room of rules, or says so of itself."""
    if shown(path.parent) in {"ledger/rules", "merchants/pricing", "merchants/benefits"}:
        return True
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    return "Pure." in said.partition("\n\n")[0]


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_docstrings_cite_rules_that_exist() -> None:
    cited = {
        match
        for path in SOURCES
        for match in re.findall(r"docs/(?:rules|decisions)/[\w-]+\.md", path.read_text())
    }

    assert cited
    assert sorted(page for page in cited if not (ROOT / page).exists()) == []


def test_every_edge_case_has_tests_that_stand() -> None:
    lines = (ROOT / "docs/rules/edge-cases.md").read_text().splitlines()
    rows = [line for line in lines if re.match(r"\| (?!case|kind)", line)]
    missing = []
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert named, row
        for path, name in named:
            text = (ROOT / path).read_text() if (ROOT / path).exists() else ""
            if not re.search(rf"^(async )?def {name}\(", text, re.MULTILINE):
                missing.append(f"{path}::{name}")

    assert len(rows) >= 22
    assert missing == []


def test_every_test_that_a_page_names_stands() -> None:
    pages = sorted((ROOT / "docs").rglob("*.md"))
    named = [
        each
        for page in pages
        for each in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())
    ]
    missing = [
        f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()
    ]

    assert len(named) >= 60
    assert missing == []
