"""Plans over supergraphs that the project's own composer made."""

from __future__ import annotations

import pytest

from gateway.federation.composition import SubgraphSdl, compose
from gateway.federation.supergraph import Supergraph
from tests.plans.planning import printed

CATALOGUE = """
type Query { tea: Product }
type Product @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! name: String }
"""


@pytest.mark.parametrize(
    ("extension", "operation"),
    [
        ('@key(fields: "id") { id: ID! @external price: Int }', "{ cheapest { id price } }"),
        ('@key(fields: "sku") { sku: ID! @external price: Int }', "{ cheapest { sku price } }"),
    ],
)
def test_an_extension_of_federation_1_answers_the_key_fields_it_calls_external(
    extension: str, operation: str
) -> None:
    prices = f"extend type Query {{ cheapest: Product }} extend type Product {extension}"
    composition = compose(
        [
            SubgraphSdl("catalogue", "http://catalogue", CATALOGUE),
            SubgraphSdl("prices", "http://prices", prices),
        ]
    )

    plan = printed(Supergraph.parse(composition.supergraph_sdl), operation)

    assert plan.startswith("Fetch prices\n")
    assert "catalogue" not in plan
