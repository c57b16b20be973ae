"""Which lots a spend takes, and what of their funding goes with it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from kernel.values import value
from ledger.rules.state import Lot, Part

_BY_EXPIRY = attrgetter("expires_at", "id")


@value
class LotChange:
    """A lot after a change, and the funding that the change moved out of the pool.

    Attributes:
        released_minor: < 0 when funding goes back into the pool.
    """

    lot: Lot
    released_minor: int


def residual_funding(lot: Lot) -> int:
    """The funding that still backs the lot, minor units.

    Consuming k of n in total has released floor(funding · k / n), so that no minor unit is lost
    at any price.

    Source: docs/rules/settlement.md, rule 2.
    """
    return lot.funding_minor - _released(lot, lot.remaining)


def is_expired(lot: Lot, now: int) -> bool:
    """Whether the lot can not be spent any more."""
    return lot.expires_at <= now


def is_spendable(lot: Lot, now: int) -> bool:
    """Whether the lot can be spent now, as far as nothing holds it."""
    return lot.active_at <= now < lot.expires_at


def first_to_expire(lots: Iterable[Lot]) -> list[Lot]:
    """The lots in the order in which they are spent: by expiry, then by age.

    Source: docs/rules/points.md, rule 3.
    """
    return sorted(lots, key=_BY_EXPIRY)


def parts_covering(wanted: int, lots: Iterable[Lot]) -> list[Part]:
    """Free parts of the lots, in the order given, that sum to `wanted` or to all there is."""
    parts = []
    for lot in lots:
        if wanted == 0:
            break
        free = lot.remaining - lot.held
        if free > 0:
            amount = free if free < wanted else wanted
            parts.append(Part(lot.id, amount))
            wanted -= amount
    return parts


def consumed(lot: Lot, amount: int) -> LotChange:
    """The lot after free units leave it for good."""
    assert 0 < amount <= lot.remaining - lot.held
    return _changed(lot, lot.remaining - amount)


def refilled(lot: Lot, amount: int) -> LotChange:
    """The lot after units that left it come back."""
    assert 0 < amount <= lot.original - lot.remaining
    return _changed(lot, lot.remaining + amount)


def with_units(lot: Lot, remaining: int, held: int) -> Lot:
    """The lot with other units in it."""
    return Lot(
        lot.id, lot.asset, lot.issuer_id, lot.funding_minor, lot.original, remaining, held,
        lot.active_at, lot.expires_at, lot.order_id,
    )  # fmt: skip


def _changed(lot: Lot, remaining: int) -> LotChange:
    released = _released(lot, remaining) - _released(lot, lot.remaining)
    return LotChange(with_units(lot, remaining, lot.held), released)


def _released(lot: Lot, remaining: int) -> int:
    return lot.funding_minor * (lot.original - remaining) // lot.original
