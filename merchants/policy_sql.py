"""SQL of merchants' own limits of discounts. The caller owns the transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from kernel.statements import Prepared
from merchants.pricing.policy import PricingPolicy

_LATEST = Prepared(
    "SELECT version, discount_cap_bps FROM pricing_policy WHERE merchant_id = :merchant_id"
    " ORDER BY version DESC LIMIT 1"
)
_VERSION = Prepared(
    "SELECT version, discount_cap_bps FROM pricing_policy"
    " WHERE merchant_id = :merchant_id AND version = :version"
)
_INSERT = Prepared(
    "INSERT INTO pricing_policy (merchant_id, version, discount_cap_bps, set_at)"
    " VALUES (:merchant_id, :version, :discount_cap_bps, :set_at)"
)


def read_policy(
    connection: Connection, merchant_id: str, *, version: int | None = None
) -> PricingPolicy | None:
    """The limits in force, or that version of them; None when the merchant never set any."""
    found = (
        connection.execute(_LATEST, {"merchant_id": merchant_id})
        if version is None
        else connection.execute(_VERSION, {"merchant_id": merchant_id, "version": version})
    )
    row = found.one_or_none()
    return None if row is None else PricingPolicy(row.version, row.discount_cap_bps)


def write_policy(
    connection: Connection, merchant_id: str, policy: PricingPolicy, *, set_at: int
) -> None:
    """Keeps a new version, which is in force at once."""
    connection.execute(
        _INSERT,
        {
            "merchant_id": merchant_id,
            "version": policy.version,
            "discount_cap_bps": policy.discount_cap_bps,
            "set_at": set_at,
        },
    )
