"""What an operation can cost is told, and limited before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.http.running import GRAPHQL, serving


@pytest.mark.parametrize(
    ("query", "variables", "cost"),
    [
        ("{ greeting }", {}, 1),
        ("{ a: greeting b: greeting }", {}, 2),
        ("{ nested { name nested { name } } }", {}, 4),
        ("{ nested { page(first: 3) { name nested { name } } } }", {}, 2 + 3 * 3),
        ("{ nested { page { name } } }", {}, 2 + 10 * 1),
        ("{ nested { open { name } } }", {}, 2 + 20 * 1),
        ("{ nested { page(first: 3) { page(first: 4) { name } } } }", {}, 2 + 3 * (1 + 4)),
        ("query ($n: Int!) { nested { page(first: $n) { name } } }", {"n": 7}, 2 + 7),
        ("query ($n: Int! = 5) { nested { page(first: $n) { name } } }", {}, 2 + 5),
        ("query ($n: Int! = 5) { nested { page(first: $n) { name } } }", {"n": 0}, 2),
        (
            "{ nested { ...F ... on Nested { page(first: 2) { ...F } } } } "
            "fragment F on Nested { x: name y: name }",
            {},
            1 + 2 + 1 + 2 * 2,
        ),
        ("{ __schema { types { name } } }", {}, 1),
    ],
)
async def test_the_cost_is_the_number_of_fields_that_the_answer_can_hold(
    tmp_path: Path, query: str, variables: dict[str, Any], cost: int
) -> None:
    async with serving(tmp_path, cost_max=1_000) as server:
        response = await server.post(query, variables=variables)

    assert "errors" not in response.json()
    assert response.json()["extensions"] == {"cost": cost}


async def test_an_operation_that_costs_too_much_is_refused_before_it_runs(tmp_path: Path) -> None:
    query = "query ($n: Int!) { nested { page(first: $n) { page(first: $n) { name } } } }"
    async with serving(tmp_path, cost_max=112) as server:
        fits = await server.post(query, variables={"n": 10})
        refused = await server.post(query, headers={"accept": GRAPHQL}, variables={"n": 11})

    assert fits.json()["extensions"] == {"cost": 112}
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"] == {
        "code": "OPERATION_TOO_COSTLY",
        "cost": 134,
        "costMax": 112,
    }
    assert len(server.subgraph.contexts) == 1


async def test_an_invalid_operation_has_no_cost(tmp_path: Path) -> None:
    async with serving(tmp_path, cost_max=10) as server:
        response = await server.post("{ unknown }")

    assert set(response.json()) == {"errors"}
