"""Clearing periods: which month an event falls in, and when one can be closed. Pure.

A month is counted as year · 12 + month − 1, in the alliance's time zone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from kernel.graphql import format_datetime
from kernel.ids import derived_id
from kernel.refusals import Refusal
from ledger.rules.days import first_instant

INGESTION = timedelta(hours=24)
"""How long after its end a period still waits for events."""


@dataclass(eq=False)
class PeriodNotClosable(Refusal):
    """The period cannot be closed yet.

    Attributes:
        closable_from: RFC 3339 instant from when it can be; None when it is closed already.
        older_open: whether it is old enough, but an older one with entries is open.
    """

    closable_from: str | None
    older_open: bool = False

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Whether waiting helps: what is closed stays closed."""
        return self.closable_from is not None

    @property
    def message(self) -> str:
        """Why not, in one sentence."""
        if self.closable_from is None:
            return "The period is closed already."
        if self.older_open:
            return "An older period has to be closed first."
        return "The period cannot be closed yet."


def posting_month(month: int, closed_month: int | None) -> tuple[int, int | None]:
    """The period that an event is posted in, and the closed one that it belongs to, if any.

    Args:
        month: the event's own.
        closed_month: the last closed one; every earlier one is closed too.

    Source: docs/rules/periods.md, rule 4.
    """
    if closed_month is None or month > closed_month:
        return month, None
    return closed_month + 1, month


def refuse_unless_closable(
    month: int,
    *,
    closed_month: int | None,
    older_months: Iterable[int],
    time_zone: str,
    now: datetime,
) -> None:
    """Returns when the period can be closed at `now`.

    Args:
        older_months: open months before it that have entries.

    Raises:
        PeriodNotClosable: it is closed, has not ended for 24 h, or an older one is open.

    Source: docs/rules/periods.md, rules 2 and 3.
    """
    if closed_month is not None and month <= closed_month:
        raise PeriodNotClosable(closable_from=None)
    closable_from = first_instant(month + 1, time_zone) + INGESTION
    too_young = now < closable_from
    if too_young or any(older < month for older in older_months):
        raise PeriodNotClosable(
            closable_from=format_datetime(closable_from), older_open=not too_young
        )


def journal_hash(lines: Iterable[bytes]) -> str:
    """SHA-256 of a period's entries in the order they were posted, in hexadecimal.

    Args:
        lines: one JSON array an entry.

    Source: docs/rules/periods.md, rule 6.
    """
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
        digest.update(b"\n")
    return digest.hexdigest()


def entry_id(prefix: str, ledger_id: str, lane: int, seq: int, leg: int) -> str:
    """The id of an entry: the same whenever and wherever it is told.

    Numbers of transactions count within a lane; those of lane 0 stand alone, as they did before
    there were others.
    """
    number = str(seq) if lane == 0 else f"{lane}/{seq}"
    return derived_id(prefix, ledger_id, number, str(leg))


@lru_cache(maxsize=4_096)
def period_id(month: int) -> str:
    """The id of a period: `per_…`."""
    return derived_id("per", str(month // 12), str(month % 12 + 1))


@lru_cache(maxsize=16_384)
def statement_id(month: int, merchant_id: str) -> str:
    """The id of a merchant's statement for a period: `stm_…`."""
    return derived_id("stm", period_id(month), merchant_id)
