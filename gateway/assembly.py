"""Puts the engine together from a supergraph and the ways to its subgraphs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gateway.authorization import AccessRules
from gateway.federation.engine import Engine, Planning
from gateway.federation.planner import conditional_variables, plan_operation
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import Transport
from gateway.limits import OperationLimits


def assemble_engine(
    supergraph: Supergraph,
    transports: Mapping[str, Transport],
    *,
    limits: OperationLimits | None = None,
    is_guarded: bool = True,
) -> Engine:
    """The engine of a supergraph.

    Args:
        transports: one per subgraph, by its name.
        is_guarded: whether the supergraph's access rules are kept; without it, whoever can reach
            the server reads everything that its subgraphs tell.
    """
    limits = limits or OperationLimits()
    planning = Planning(partial(plan_operation, supergraph), conditional_variables)
    if not is_guarded:
        return Engine(
            supergraph.public_schema,
            planning,
            transports,
            limits=limits.check,
            tokens_max=limits.tokens_max,
        )
    return Engine(
        supergraph.public_schema,
        planning,
        transports,
        limits=limits.check,
        authorize=AccessRules(supergraph).authorize,
        tokens_max=limits.tokens_max,
    )
