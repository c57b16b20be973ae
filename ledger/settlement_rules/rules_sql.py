"""Statements on settlement rules. The caller owns the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from kernel.units import Ratio
from ledger.rules.state import RuleTerms
from ledger.settlement_rules.proposals import RuleState, state_at
from ledger.tables import settlement_rule

_RULE = (
    "version, rule_id, state, effective_from, issue_price, redeem_price, "
    "issue_fee_bps, redeem_fee_bps, breakage_issuer_bps, proposed_by, accepts_top_up, approved_by"
)
_IN_FORCE = Prepared(
    "SELECT version FROM settlement_rule WHERE lane = 0 AND state = 'APPROVED' "
    "AND effective_from <= :now ORDER BY effective_from DESC, version DESC LIMIT 1"
)
_LIVE = Prepared(
    "SELECT remaining, residual FROM lot "
    "WHERE asset = 'POINTS' AND remaining > 0 AND (expires_at > :now OR held > 0)"
)
_OLDER = Prepared(
    f"SELECT {_RULE} FROM settlement_rule WHERE lane = 0 AND version < :before "
    "ORDER BY version DESC LIMIT :most"
)
_BY_ID = Prepared(f"SELECT {_RULE} FROM settlement_rule WHERE lane = 0 AND rule_id = :rule_id")
_WAITING = Prepared(
    "SELECT version FROM settlement_rule WHERE lane = 0 AND state = 'APPROVED' "
    "AND effective_from > :now ORDER BY version"
)
_OVERTAKEN = Prepared(
    "SELECT count(*) FROM settlement_rule WHERE lane = 0 AND state = 'APPROVED' "
    "AND version > :version"
)
_BOOKED = Prepared("SELECT max(last_created_at) FROM lane_head")
_NEWEST = Prepared("SELECT coalesce(max(version), 0) FROM settlement_rule WHERE lane = 0")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One settlement rule.

    Attributes:
        state: at the instant it was read for.
        effective_from: microseconds.
        proposed_by: `Caller.key` of the admin; empty for the first rule.
        approved_by: `Caller.key` of the admin; None for a draft and the first rule.
    """

    version: int
    rule_id: str
    state: RuleState
    effective_from: int
    terms: RuleTerms
    proposed_by: str
    accepts_top_up: bool
    approved_by: str | None


def read_rules(
    connection: Connection, *, before_version: int, limit: int, now: int
) -> list[RuleRow]:
    """Settlement rules, newest version first, older than `before_version`."""
    rows = connection.execute(_OLDER, {"before": before_version, "most": limit})
    in_force = _version_in_force(connection, now)
    return [_row(row, in_force=in_force, now=now) for row in rows]


def read_rule(connection: Connection, rule_id: str, *, now: int) -> RuleRow | None:
    """The rule of an id; None when there is none."""
    row = connection.execute(_BY_ID, {"rule_id": rule_id}).one_or_none()
    if row is None:
        return None
    return _row(row, in_force=_version_in_force(connection, now), now=now)


def read_waiting(connection: Connection, *, now: int) -> list[int]:
    """Versions that are approved and not in force yet, oldest first."""
    return [row[0] for row in connection.execute(_WAITING, {"now": now})]


def is_overtaken(connection: Connection, version: int) -> bool:
    """Whether a rule that was proposed after this one is approved."""
    later: int = connection.execute(_OVERTAKEN, {"version": version}).scalar_one()
    return later > 0


def read_newest_booking(connection: Connection) -> datetime:
    """When the newest event of any lane was booked, by the clock of whoever booked it."""
    return from_micros(connection.execute(_BOOKED).scalar_one())


def read_live_lots(connection: Connection, *, now: int) -> list[tuple[int, int]]:
    """(points, funding left) of every lot whose points can still be redeemed."""
    return [(row[0], row[1]) for row in connection.execute(_LIVE, {"now": now})]


def insert_rule(
    connection: Connection,
    rule_id: str,
    terms: RuleTerms,
    *,
    effective_from: int,
    proposed_by: str,
    accepts_top_up: bool,
    is_approved: bool = False,
) -> int:
    """Keeps a rule under the next version, which it gives."""
    newest = connection.execute(_NEWEST).scalar_one()
    connection.execute(
        insert(settlement_rule).values(
            lane=0,
            version=newest + 1,
            rule_id=rule_id,
            state="APPROVED" if is_approved else "DRAFT",
            effective_from=effective_from,
            issue_price=str(terms.issue_price),
            redeem_price=str(terms.redeem_price),
            issue_fee_bps=terms.issue_fee_bps,
            redeem_fee_bps=terms.redeem_fee_bps,
            breakage_issuer_bps=terms.breakage_issuer_bps,
            proposed_by=proposed_by,
            accepts_top_up=int(accepts_top_up),
        )
    )
    return int(newest) + 1


def approve(connection: Connection, version: int, *, approved_by: str, now: datetime) -> None:
    """Lets a draft take effect at its instant."""
    connection.execute(
        update(settlement_rule)
        .where(settlement_rule.c.lane == 0, settlement_rule.c.version == version)
        .values(state="APPROVED", approved_by=approved_by, approved_at=to_micros(now))
    )


def _version_in_force(connection: Connection, now: int) -> int:
    version: int = connection.execute(_IN_FORCE, {"now": max(now, 0)}).scalar_one()
    return version


def _row(row: Any, *, in_force: int, now: int) -> RuleRow:
    terms = RuleTerms(Ratio.parse(row[4]), Ratio.parse(row[5]), *row[6:9])
    state = state_at(
        is_approved=row[2] == "APPROVED",
        effective_from=row[3],
        version=row[0],
        in_force=in_force,
        now=now,
    )
    return RuleRow(row[0], row[1], state, row[3], terms, row[9], bool(row[10]), row[11])
