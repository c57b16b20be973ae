from __future__ import annotations

import asyncio
from random import Random

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.assembly.engine import assemble_engine
from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.engine import EngineRequest
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
