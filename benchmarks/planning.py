"""First plans of the explorer's operations, beside graphql-core parsing and validating them.

Every client pays for parsing and validation once; so the ratio tells how much more the first
request of an operation waits for its plan. Later requests find it in the cache.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from importlib.resources import files

from graphql import DocumentNode, parse, validate

from gateway.assembly.schemas import own_supergraph
from gateway.federation.planner import plan_operation

ROUNDS = 7


def _queries() -> list[str]:
    text = files("gateway.explorer").joinpath("operations.json").read_text()
    return [entry["query"] for group in json.loads(text) for entry in group["operations"]]


def _cpu_ms(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1_000


def main() -> None:
    """Prints the ratio, and the slowest first plan."""
    supergraph = own_supergraph()
    schema = supergraph.public_schema
    documents = [parse(query) for query in _queries()]

    def check(text: str) -> None:
        validate(schema, parse(text))

    def plan(document: DocumentNode) -> None:
        plan_operation(supergraph, document, None, {})

    def check_all() -> None:
        for text in _queries():
            check(text)

    def plan_all() -> None:
        for document in documents:
            plan(document)

    plan_all()  # The supergraph's graph is built once, by whichever operation comes first.
    pairs = [(_cpu_ms(plan_all), _cpu_ms(check_all)) for _ in range(ROUNDS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    mine = statistics.median(pair[0] for pair in pairs) / len(documents)
    theirs = statistics.median(pair[1] for pair in pairs) / len(documents)
    slowest = max(_cpu_ms(lambda document=document: plan(document)) for document in documents)  # type: ignore[misc]
    print(
        f"plan {mine:.1f} ms/operation, parse and validate {theirs:.1f} ms, ratio {ratio:.2f}; "
        f"slowest plan {slowest:.1f} ms ({len(documents)} operations)"
    )
