"""Which override labels hold for a request."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from hashlib import blake2b

_STEPS_PER_PERCENT = 10**8
"""A share of requests is written with at most eight decimals of a percent."""


def labels_holding(
    known: Collection[str], *, named: Collection[str], request_id: str
) -> frozenset[str]:
    """Those of the known labels that hold for one request.

    A label `percent(x)` holds for x percent of all request ids, always for the same ones, so that
    a repeat under the same id is answered by the same subgraphs.

    Args:
        named: labels that hold for every request.
    """
    return frozenset(
        label
        for label in known
        if label in named or _point_of(label, request_id) < _steps_of(label)
    )


def _steps_of(label: str) -> int:
    if not (label.startswith("percent(") and label.endswith(")")):
        return 0
    try:
        return int(Decimal(label[len("percent(") : -1]) * _STEPS_PER_PERCENT)
    except InvalidOperation:
        return 0


def _point_of(label: str, request_id: str) -> int:
    """Where a request falls between 0 and 100 percent, independently for each label."""
    digest = blake2b(f"{label}\0{request_id}".encode(), digest_size=16).digest()
    return int.from_bytes(digest) % (100 * _STEPS_PER_PERCENT)
