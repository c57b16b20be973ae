"""The liability report as rows of a table. Pure. See docs/rules/liability.md, rule 5."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

from ledger.reports.liability import Cohort, expected_redemption_bps
from ledger.reports.months import label_of

Row: TypeAlias = tuple[str | int, ...]

COLUMNS = (
    "issuer", "month", "age_months", "issued", "returned", "redeemed_here", "redeemed_elsewhere",
    "expired", "taken_back", "outstanding", "outstanding_funding_minor", "expected_redemption_bps",
)  # fmt: skip


def rows_of(cohorts: Sequence[Cohort], *, current_month: int) -> list[Row]:
    """A row for each cohort.

    Args:
        cohorts: by issuer.
    """
    rows: list[Row] = []
    for issuer, group in groupby(cohorts, attrgetter("issuer_id")):
        own = list(group)
        rate = expected_redemption_bps(own)
        rows += [
            (
                issuer, label_of(each.month), current_month - each.month, each.issued,
                each.returned, each.redeemed_here, each.redeemed_elsewhere, each.expired,
                each.taken_back, each.outstanding, each.funding_minor, rate,
            )
            for each in own
        ]  # fmt: skip
    return rows
