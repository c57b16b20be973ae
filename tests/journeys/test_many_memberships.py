"""A card of thirty merchants costs as many requests and statements as one of three."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from graphql import parse
from sqlalchemy import Engine, event

from gateway.federation.plan import Fetch, Node
from gateway.federation.plan_printing import plan_text
from gateway.federation.planner import plan_operation
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from gateway.transports.in_process import InProcessTransport
from tests.journeys.town import OPERATIONS, Town, cny, town_at

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

FEW, MANY = 3, 30
SUBGRAPHS = ("alliance", "merchants", "ledger")
PLAN = [
    "Sequence",
    "  Fetch alliance",
    "  Parallel",
    "    Fetch merchants",
    "    Fetch ledger",
]
STEPS = [{"name": "新客", "rank": 1, "threshold": 1}]


@dataclass
class Crowd:
    """A town of many merchants.

    Attributes:
        few: a member of some of them; `many` one of all.
    """

    town: Town
    few: str
    many: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crowd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crowd]:
    async with town_at(tmp_path_factory.mktemp("crowd")) as town:
        people: list[tuple[str, str]] = []
        for number in range(MANY):
            merchant_id = await town.admit(f"m-{number}", f"商家{number:02}")
            store_id = await town.open_store(merchant_id, "s", "STORE_POS")
            template_id = await _make_rules(town, merchant_id)
            if not people:
                people = [
                    await town.join(merchant_id, store_id, phone=phone)
                    for phone in ("+8613800000001", "+8613800000002")
                ]
                numbers = [await town.card_number(member_id) for member_id, _ in people]
            else:
                for card_number in numbers[0 if number < FEW else 1 :]:
                    await town.join(merchant_id, store_id, cardNumber=card_number)
            cards = [card_id for _, card_id in people][0 if number < FEW else 1 :]
            await town.done(
                "IssueCoupons", town.merchant(merchant_id), templateId=template_id, cardIds=cards
            )
            for card_id in cards:
                await town.sell(merchant_id, store_id, f"O-{card_id}"[:64], 1_000, cardId=card_id)
        yield Crowd(town, people[0][0], people[1][0])


async def _make_rules(town: Town, merchant_id: str) -> str:
    till = town.merchant(merchant_id)
    await town.done(
        "SetTierLadder",
        till,
        merchantId=merchant_id,
        name="等级",
        metric="PURCHASE_COUNT",
        steps=STEPS,
    )
    template = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=merchant_id,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(2_000),
    )
    return str(template["template"]["id"])


@dataclass
class Counted:
    """What one operation asked of subgraphs and databases."""

    requests: Counter[str] = field(default_factory=Counter)
    statements: int = 0


@contextmanager
def _counting(monkeypatch: pytest.MonkeyPatch, crowd: Crowd) -> Iterator[Counted]:
    counted = Counted()
    hosted = crowd.town.opened.hosted
    execute = InProcessTransport.execute

    async def count_request(
        self: InProcessTransport, request: SubgraphRequest, context: CallContext
    ) -> SubgraphReply:
        [name] = [name for name, each in hosted.items() if each.schema is self._schema]
        counted.requests[name] += 1
        return await execute(self, request, context)

    def count_statement(*_: Any) -> None:
        counted.statements += 1

    event.listen(Engine, "before_cursor_execute", count_statement)
    with monkeypatch.context() as patched:
        patched.setattr(InProcessTransport, "execute", count_request)
        yield counted
    event.remove(Engine, "before_cursor_execute", count_statement)


async def _card(crowd: Crowd, member_id: str) -> Any:
    return (await crowd.town.query("MyCard", crowd.town.member(member_id)))["card"]


async def test_the_card_shows_every_merchant(crowd: Crowd) -> None:
    for member_id, count in ((crowd.few, FEW), (crowd.many, MANY)):
        card = await _card(crowd, member_id)
        nodes = card["memberships"]["nodes"]

        assert [each["merchant"]["name"] for each in nodes] == [
            f"商家{number:02}" for number in range(count)
        ]
        assert {each["wallet"]["tier"]["name"] for each in nodes} == {"新客"}
        assert {len(each["wallet"]["coupons"]["nodes"]) for each in nodes} == {1}
        assert card["points"]["available"] == 10 * count


async def test_each_step_of_the_plan_is_one_request(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_operation(crowd.town.opened.supergraph, parse(OPERATIONS["MyCard"]), None, {})
    await _card(crowd, crowd.many)

    with _counting(monkeypatch, crowd) as counted:
        await _card(crowd, crowd.many)

    steps = [each for each in plan_text(plan).splitlines() if "$" not in each]
    assert steps == PLAN
    assert counted.requests == _requests_of(plan.root) == Counter(SUBGRAPHS)


def _requests_of(node: Node | None) -> Counter[str]:
    """How often a plan asks each subgraph."""
    if node is None:
        return Counter()
    if isinstance(node, Fetch):
        return Counter([node.subgraph])
    return sum((_requests_of(child) for child in node.nodes), Counter())


async def test_statements_do_not_grow_with_memberships(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for member_id in (crowd.few, crowd.many):
        await _card(crowd, member_id)
        with _counting(monkeypatch, crowd) as counted:
            await _card(crowd, member_id)
        counts.append((counted.requests, counted.statements))

    assert counts[0] == counts[1]
