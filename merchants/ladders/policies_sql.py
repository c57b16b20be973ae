"""SQL of policies. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from kernel.clock import from_micros, to_micros
from kernel.statements import Prepared
from merchants.ladders.evaluation import Rule
from merchants.ladders.ladders_sql import read_ladder_versions
from merchants.ladders.policies import HonouredRank, TierCombination, TierPolicy
from merchants.ladders.segments import SegmentThresholds
from merchants.stored import dump, load

_IN_FORCE = Prepared(
    "SELECT p.merchant_id, p.version, p.policy FROM tier_policy AS p"
    " WHERE p.merchant_id IN :merchant_ids AND p.version = (SELECT MAX(q.version)"
    " FROM tier_policy AS q WHERE q.merchant_id = p.merchant_id AND q.set_at <= :at)"
    " ORDER BY p.merchant_id",
    lists=("merchant_ids",),
)
_UNTIL = Prepared(
    "SELECT version, set_at, policy FROM tier_policy WHERE merchant_id = :merchant_id"
    " AND set_at <= :until ORDER BY version"
)
_VERSION = Prepared(
    "SELECT version, policy FROM tier_policy"
    " WHERE merchant_id = :merchant_id AND version = :version"
)
_INSERT = Prepared(
    "INSERT INTO tier_policy (merchant_id, version, set_at, policy)"
    " VALUES (:merchant_id, :version, :set_at, :policy)"
)
NO_POLICY = TierPolicy()


def read_policies(
    connection: Connection, merchant_ids: Sequence[str], *, at: int
) -> dict[str, TierPolicy]:
    """The policy in force at `at` (microseconds) of each merchant that ever chose one."""
    if not merchant_ids:
        return {}
    rows = connection.execute(_IN_FORCE, {"merchant_ids": list(merchant_ids), "at": at})
    return {row.merchant_id: _policy(row) for row in rows}


def read_policy_version(connection: Connection, merchant_id: str, *, version: int) -> TierPolicy:
    """One version of a policy, which exists."""
    row = connection.execute(_VERSION, {"merchant_id": merchant_id, "version": version}).one()
    return _policy(row)


def insert_policy(
    connection: Connection, merchant_id: str, policy: TierPolicy, *, set_at: int
) -> None:
    """Keeps a new version."""
    values = {"merchant_id": merchant_id, "version": policy.version, "set_at": set_at}
    connection.execute(_INSERT, {**values, "policy": dump(_as_json(policy))})


def read_rules(connection: Connection, merchant_id: str, *, ladder: str, until: int) -> list[Rule]:
    """Every rule of the ladder until then, oldest first: its versions, and changed weights."""
    versions = read_ladder_versions(connection, merchant_id, name=ladder, until=until)
    policies = connection.execute(_UNTIL, {"merchant_id": merchant_id, "until": until}).all()
    moments = sorted(
        {to_micros(version.effective_from) for version in versions}
        | {row.set_at for row in policies}
    )
    rules = []
    for moment in moments:
        in_force = [each for each in versions if to_micros(each.effective_from) <= moment]
        if not in_force:
            continue
        policy = NO_POLICY
        for row in policies:
            if row.set_at <= moment:
                policy = _policy(row)
        rules.append(
            Rule(from_micros(moment), in_force[-1], policy.weights, policy_version=policy.version)
        )
    return rules


def _as_json(policy: TierPolicy) -> dict[str, Any]:
    thresholds = policy.segments
    return {
        "combination": policy.combination,
        "honoured": [[each.alliance_rank, each.rank] for each in policy.honoured],
        "weights": dict(policy.weights),
        "segments": [thresholds.key_orders, thresholds.window_months, thresholds.zombie_days],
    }


def _policy(row: Any) -> TierPolicy:
    stored = load(row.policy)
    policy = TierPolicy(
        version=row.version,
        combination=TierCombination(stored["combination"]),
        honoured=tuple(HonouredRank(*each) for each in stored["honoured"]),
        weights=stored["weights"],
    )
    return replace(policy, segments=SegmentThresholds(*stored["segments"]))
