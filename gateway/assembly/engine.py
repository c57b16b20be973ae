"""Puts the engine together from a supergraph and the ways to its subgraphs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from gateway.access.authorization import AccessRules
from gateway.federation.engine import Engine, Planning
from gateway.federation.planner import conditional_variables, plan_operation
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import Transport
from gateway.http.limits import OperationLimits


def assemble_engine(
    supergraph: Supergraph,
    transports: Mapping[str, Transport],
    *,
    limits: OperationLimits | None = None,
) -> Engine:
    """The engine of a supergraph, which keeps its access rules and the limits.

    Args:
        transports: one per subgraph, by its name.
    """
    limits = limits or OperationLimits()
    planning = Planning(
        partial(plan_operation, supergraph), conditional_variables, supergraph.override_labels
    )
    return Engine(
        supergraph.public_schema,
        planning,
        transports,
        limits=limits.check,
        authorize=AccessRules(supergraph).authorize,
        tokens_max=limits.tokens_max,
    )
