"""What clients can invent without end must not be kept without end."""

from __future__ import annotations

import gc
from collections import Counter
from functools import partial

import pytest
from graphql import DocumentNode

from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.engine import Engine, EngineRequest, Planning
from gateway.federation.plan import Plan
from gateway.federation.planner import conditional_variables, plan_operation
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest
from tests.federation.test_random_graphs import LINK

OPERATIONS = 1_000
KEPT_MAX = 150


class Book:
    """Answers for both subgraphs, and remembers nothing."""

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        if "_entities" in request.document:
            return SubgraphReply({"_e0": [{"title": "A"}]})
        return SubgraphReply({"book": {"__typename": "Book", "id": "1"}})


def engine_that_forgets() -> Engine:
    sdls = {
        "a": 'type Query { book: Book } type Book @key(fields: "id") { id: ID! }',
        "b": 'type Book @key(fields: "id") { id: ID! title: String }',
    }
    composition = compose(
        [SubgraphSdl(name, f"http://{name}", LINK + sdl) for name, sdl in sdls.items()]
    )
    supergraph = Supergraph.parse(composition.supergraph_sdl)
    return Engine(
        supergraph.public_schema,
        Planning(partial(plan_operation, supergraph), conditional_variables),
        {"a": Book(), "b": Book()},
        plan_cache_size=KEPT_MAX,
    )


async def ask(engine: Engine, first: int, last: int) -> None:
    for number in range(first, last):
        document = f"query Q{number}($on: Boolean!) {{ book {{ id title @include(if: $on) }} }}"
        request = EngineRequest(document, None, {"on": bool(number % 2)})
        answer = await engine.execute(request, CallContext())
        assert answer.errors == ()


def living() -> Counter[type]:
    gc.collect()
    return Counter(type(one) for one in gc.get_objects())


@pytest.mark.slow
async def test_operations_beyond_the_limit_of_the_cache_leave_nothing_behind() -> None:
    engine = engine_that_forgets()
    before = living()

    await ask(engine, 0, 2 * KEPT_MAX)
    full = living()
    await ask(engine, 2 * KEPT_MAX, OPERATIONS)
    after = living()

    assert full[Plan] - before[Plan] == KEPT_MAX
    assert after[Plan] == full[Plan]
    assert after[DocumentNode] == full[DocumentNode]
    # Lists, dictionaries, functions and all else: not one for every further operation.
    assert after.total() - full.total() < OPERATIONS - 2 * KEPT_MAX
