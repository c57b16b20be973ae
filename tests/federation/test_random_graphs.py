from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.assembly.engine import assemble_engine
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.engine import EngineRequest
from gateway.federation.faults import FaultCode
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from tests.federation.random_data import World
from tests.federation.random_graphs import LINK, RandomGraph

OPERATIONS = 4


def supergraph_of(graph: RandomGraph) -> Supergraph:
    subgraphs = [
        SubgraphSdl(name, f"http://{name}", LINK + graph.sdl(name)) for name in graph.subgraphs
    ]
    return Supergraph.parse(compose(subgraphs).supergraph_sdl)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(random=st.randoms(use_true_random=True))
def test_subgraphs_together_answer_like_the_whole_schema(random: Random) -> None:
    graph = RandomGraph(random)
    supergraph = supergraph_of(graph)
    schema = supergraph.public_schema
    world = World(graph)
    transports = {name: world.transport(name) for name in graph.subgraphs}
    engine = assemble_engine(supergraph, transports)
    operations = [graph.operation() for _ in range(OPERATIONS)]
    valid = [operation for operation in operations if not validate(schema, parse(operation))]
    assume(valid)
    for operation in valid:
        answer = asyncio.run(engine.execute(EngineRequest(operation), CallContext()))

        assert (operation, answer.errors) == (operation, ())
        assert (operation, answer.data) == (operation, world.whole(schema, operation))


def check_only_lacks(answer: Any, whole: Any, operation: str) -> None:
    """Nothing in the answer differs from the whole but by being null."""
    if answer is None:
        return
    assert type(answer) is type(whole), operation
    if isinstance(answer, dict):
        assert list(answer) == list(whole), operation
        for key, value in answer.items():
            # What is made of other fields says whatever was got of them.
            if key not in ("sum", "other_sum"):
                check_only_lacks(value, whole[key], operation)
    elif isinstance(answer, list):
        for value, expected in zip(answer, whole, strict=True):
            check_only_lacks(value, expected, operation)
    else:
        assert answer == whole, operation


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(random=st.randoms(use_true_random=True))
def test_null_keys_cost_only_what_can_not_be_asked_for_without_them(random: Random) -> None:
    graph = RandomGraph(random, has_null_keys=True)
    supergraph = supergraph_of(graph)
    schema = supergraph.public_schema
    world = World(graph)
    transports = {name: world.transport(name) for name in graph.subgraphs}
    engine = assemble_engine(supergraph, transports)
    operations = [graph.operation() for _ in range(OPERATIONS)]
    valid = [operation for operation in operations if not validate(schema, parse(operation))]
    assume(valid)
    for operation in valid:
        # A representation without a key fails in the subgraph, and so would be a fault here.
        answer = asyncio.run(engine.execute(EngineRequest(operation), CallContext()))
        whole = world.whole(schema, operation)

        codes = {fault.code for fault in answer.errors}
        if world.has_met_null_key:
            assert (operation, codes - {FaultCode.INVALID_VALUE}) == (operation, set())
            check_only_lacks(answer.data, whole, operation)
        else:
            assert (operation, answer.data, codes) == (operation, whole, set())
