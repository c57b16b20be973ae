"""How often a merchant may look members up. See docs/rules/identity.md, rule 7."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import GraphQLError


class RateLimited(GraphQLError):
    """The caller asked for too many look-ups, or codes."""

    def __init__(self, *, retry_after_s: int, what: str = "look-ups") -> None:
        super().__init__(
            f"Too many {what}; wait before the next one.",
            extensions={"code": "RATE_LIMITED", "retryAfterSeconds": retry_after_s},
        )


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """What look-ups cost, in units.

    Attributes:
        burst: units that a merchant has at most.
        per_second: units that come back each second.
        miss: what a look-up costs that finds nobody; one that finds somebody costs 1.
    """

    burst: int = 6_000
    per_second: int = 100
    miss: int = 100


class LookupBudget:
    """The units that each merchant has left, counted on the monotonic clock."""

    def __init__(self, limits: LookupLimits) -> None:
        self._limits = limits
        self._left_by_merchant: dict[str, tuple[float, float]] = {}

    def check(self, merchant_id: str, *, monotonic: float) -> None:
        """Accepts a merchant that has units left.

        Raises:
            RateLimited: it has none.
        """
        left = self._left(merchant_id, monotonic)
        if left < 1:
            wait_s = (1 - left) / self._limits.per_second
            raise RateLimited(retry_after_s=int(wait_s) + 1)

    def spend(self, merchant_id: str, *, is_hit: bool, monotonic: float) -> None:
        """Takes what a look-up cost."""
        cost = 1 if is_hit else self._limits.miss
        left = self._left(merchant_id, monotonic) - cost
        self._left_by_merchant[merchant_id] = (left, monotonic)

    def _left(self, merchant_id: str, monotonic: float) -> float:
        left, since = self._left_by_merchant.get(
            merchant_id, (float(self._limits.burst), monotonic)
        )
        regained = (monotonic - since) * self._limits.per_second
        return min(float(self._limits.burst), left + regained)
