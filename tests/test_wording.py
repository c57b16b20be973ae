"""Every "no" and every decision has a sentence in English and one in Chinese."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from gateway.assembly.schemas import supergraph_sdl
from kernel import refusals
from kernel.refusals import InvalidInput, NotFound, code_of
from merchants import wording
from merchants.offers import CouponKind
from merchants.promotions.terms import PromotionKind

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for package in ("kernel", "ledger", "merchants", "gateway")
    for path in (ROOT / package).rglob("*.py")
)
HAN = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"^[A-Z]+(_[A-Z]+)+$")
MERCHANTS = ROOT / "merchants"
DECIDING = (
    *sorted((MERCHANTS / "pricing").glob("*.py")),
    *sorted((MERCHANTS / "benefits").glob("*.py")),
    *sorted((MERCHANTS / "promotions").glob("*.py")),
    MERCHANTS / "coupons/eligibility.py",
    MERCHANTS / "sales/quoting.py",
)
NO_SENTENCES = {"MEMBER_PRICE", "PERCENT_OFF", "POINTS_MULTIPLIER", *CouponKind, *PromotionKind}
"""Kinds of benefits and coupons, which are no reasons."""


def facts_of(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("code", sorted(wording.SENTENCES))
def test_both_sentences_of_a_code_tell_the_same_facts(code: str) -> None:
    english, chinese = wording.SENTENCES[code]

    assert facts_of(english) == facts_of(chinese)
    assert HAN.search(chinese)
    assert not HAN.search(english)


@pytest.mark.parametrize("path", DECIDING, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_code_that_a_rule_names_has_its_sentences(path: Path) -> None:
    tree = ast.parse(path.read_text())
    codes = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.match(node.value)
    }

    assert sorted(codes - set(wording.SENTENCES) - NO_SENTENCES) == []


def test_every_refusal_has_a_chinese_sentence() -> None:
    assert supergraph_sdl()  # Loads every subgraph, and so every refusal.
    known = {
        code_of(name)
        for name, kind in refusals._registry.items()
        if kind.__module__.split(".")[0] in ("kernel", "ledger", "merchants", "gateway")
    }

    assert sorted(known - set(refusals._chinese)) == []
    assert all(HAN.search(sentence) for sentence in refusals._chinese.values())


def test_a_refusal_speaks_english_to_whoever_does_not_ask_for_chinese() -> None:
    lost = NotFound("x")
    faulty = InvalidInput(
        [["title", "must have 1 to 100 characters"], ["off", "must be 1 or more"]]
    )

    assert lost.message_in("en") == lost.message_in("") == lost.message
    assert lost.message_in("zh") == "未找到编号“x”，或您无权查看。"
    assert faulty.message_in("zh") == "输入有误：title（另有 1 处）。"


def test_money_and_shares_are_told_in_major_units_and_percent() -> None:
    assert wording.say("BELOW_MIN_SPEND", "en", missing=1_200).startswith("Spend 12.00 more")
    assert "50.00 %" in wording.say("POINTS_CAP", "zh", unused=1, share=5_000)


def test_a_fault_of_an_input_goes_on_where_its_path_ends() -> None:
    """`InvalidInput` tells `path: fault`, so a fault is no sentence of its own."""
    faults = [fault for path in SOURCES for fault in faults_in(path)]

    assert len(faults) >= 200
    assert [each for each in faults if each.endswith(".") or each[0].isupper()] == []


def faults_in(path: Path) -> list[str]:
    """What a module says of paths in inputs, with `0` for whatever it fills in."""
    said: list[ast.expr] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "InvalidInput.at":
            said.append(node.args[1])
        elif isinstance(node, ast.List) and len(node.elts) == 2:
            said.append(node.elts[1])
    return [text for each in said if " " in (text := text_of(each))]


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(each) for each in node.values)
    if isinstance(node, ast.FormattedValue):
        return "0"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
