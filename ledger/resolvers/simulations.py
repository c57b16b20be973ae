"""Simulates settlement terms on the history."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry
from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.graphql import BadUserInput
from ledger.context import LedgerContext, LedgerInfo
from ledger.rules.settlement import Leg
from ledger.rules.state import ALLIANCE, LANES, POOL, RuleTerms
from ledger.schema import periods, simulations
from ledger.settlement_rules.proposals import check_terms
from ledger.settlement_rules.simulation import Simulation, net_by_party
from ledger.settlement_rules.simulation_sql import read_events
from ledger.stores.lanes import lanes_of


async def simulate_settlement_rule(
    info: LedgerInfo,
    draft: simulations.SettlementTermsInput,
    from_: Annotated[datetime, strawberry.argument(name="from", description="Inclusive.")],
    to: Annotated[datetime, strawberry.argument(description="Exclusive.")],
) -> simulations.SettlementSimulation | None:
    """Settles the events of a time once more, at other terms."""
    context = info.context
    context.admin()
    terms = RuleTerms(
        issue_price=draft.issue_price,
        redeem_price=draft.redeem_price,
        issue_fee_bps=draft.issue_fee_bps,
        redeem_fee_bps=draft.redeem_fee_bps,
        breakage_issuer_bps=draft.breakage_issuer_bps,
    )
    faults = check_terms(terms)
    if faults:
        raise BadUserInput(f"draft.{faults[0][0]} {faults[0][1]}.")
    if from_ >= to:
        raise BadUserInput("from must be before to.")

    def settle(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
        posted: list[Leg] = []
        again: list[Leg] = []
        since, until = to_micros(from_), to_micros(to)
        for lane in range(lanes_of(connection)):
            simulation = Simulation(terms)
            for event in read_events(
                connection, lane, since=since, until=until, settings=context.settings
            ):
                simulation.settle(event)
                posted += event.legs if event.is_counted else ()
            again += simulation.legs
        return net_by_party(posted), net_by_party(again)

    return _shown(context, *await context.read(settle))


def _shown(
    context: LedgerContext, actual: dict[str, int], simulated: dict[str, int]
) -> simulations.SettlementSimulation:
    def difference(party: str) -> int:
        return simulated.get(party, 0) - actual.get(party, 0)

    merchant_ids = sorted({*actual, *simulated} - {ALLIANCE, POOL, LANES})
    return simulations.SettlementSimulation(
        merchants=[
            simulations.SimulatedMerchant(
                merchant=periods.Merchant(id=strawberry.ID(merchant_id)),
                actual=context.money(actual.get(merchant_id, 0)),
                simulated=context.money(simulated.get(merchant_id, 0)),
                difference=context.money(difference(merchant_id)),
            )
            for merchant_id in merchant_ids
        ],
        alliance_difference=context.money(difference(ALLIANCE)),
        pool_difference=context.money(difference(POOL)),
    )
