"""Shows what became of a merchant's points. See docs/rules/liability.md."""

from __future__ import annotations

from typing import Protocol

import strawberry

from kernel.graphql import Long
from ledger.booking.entering import party_of
from ledger.context import LedgerContext, LedgerInfo
from ledger.reports.liability import Cohort, expected_redemption_bps
from ledger.reports.months import label_of
from ledger.rules.days import month_of
from ledger.schema.liability import Liability, LiabilityLine


class HasId(Protocol):
    """An entity."""

    id: strawberry.ID


async def merchant_liability(
    merchant: strawberry.Parent[HasId], info: LedgerInfo
) -> Liability | None:
    """The merchant's points; one read for all merchants of the request."""
    context = info.context
    context.require_account_of(merchant.id)
    issuer = party_of(merchant.id, context.settings)
    cohorts = await context.load.cohorts_by_issuer.load(issuer)
    return Liability(
        expected_redemption_bps=expected_redemption_bps(cohorts),
        lines=[_line(context, cohort) for cohort in cohorts],
    )


def _line(context: LedgerContext, cohort: Cohort) -> LiabilityLine:
    return LiabilityLine(
        month=label_of(cohort.month),
        age_months=month_of(context.now, context.settings.time_zone) - cohort.month,
        issued=Long(cohort.issued),
        returned=Long(cohort.returned),
        redeemed_here=Long(cohort.redeemed_here),
        redeemed_elsewhere=Long(cohort.redeemed_elsewhere),
        expired=Long(cohort.expired),
        taken_back=Long(cohort.taken_back),
        outstanding=Long(cohort.outstanding),
        outstanding_funding=context.money(cohort.funding_minor),
    )
