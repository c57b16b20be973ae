"""How each backend answered lately. See docs/rules/merchants.md, rule 6."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from graphql import GraphQLError

from kernel.clock import Clock

FAILURES_TO_BE_DOWN = 3


class HealthState(StrEnum):
    """How a backend answers."""

    UP = "UP"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


@dataclass(frozen=True, slots=True)
class Health:
    """Health of one backend.

    Attributes:
        since: since when it is in this state.
        last_error: error code of the last failure; None when none is known.
        failures: failures since the last good answer.
    """

    state: HealthState
    since: datetime
    last_error: str | None = None
    failures: int = 0


def after_failure(health: Health, *, code: str, now: datetime) -> Health:
    """The health of a backend that failed once more.

    Args:
        code: error code of the failure.
    """
    failures = health.failures + 1
    state = HealthState.DOWN if failures >= FAILURES_TO_BE_DOWN else HealthState.DEGRADED
    since = health.since if state is health.state else now
    return Health(state, since, last_error=code, failures=failures)


def after_answer(health: Health, *, now: datetime) -> Health:
    """The health of a backend that answered."""
    if health.state is HealthState.UP:
        return health
    return Health(HealthState.UP, now, last_error=health.last_error)


class BackendSilent(GraphQLError):
    """A merchant's backend did not answer; the same request may be sent again."""

    def __init__(self, merchant_id: str) -> None:
        super().__init__(
            "The merchant's backend does not answer; send the same request again.",
            extensions={"code": "SUBGRAPH_UNAVAILABLE", "merchantId": merchant_id},
        )


class HealthBoard:
    """Health of every merchant's backend since this process began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.now()
        self._by_merchant: dict[str, Health] = {}

    def health(self, merchant_id: str) -> Health:
        """UP until something failed."""
        return self._by_merchant.get(merchant_id) or Health(HealthState.UP, self._begun)

    def note_failure(self, merchant_id: str, *, code: str) -> None:
        """Takes in that a call to the merchant's backend failed."""
        self._by_merchant[merchant_id] = after_failure(
            self.health(merchant_id), code=code, now=self._clock.now()
        )

    def note_answer(self, merchant_id: str) -> None:
        """Takes in that the merchant's backend answered."""
        if merchant_id in self._by_merchant:
            self._by_merchant[merchant_id] = after_answer(
                self._by_merchant[merchant_id], now=self._clock.now()
            )
