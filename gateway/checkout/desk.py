"""What every step of a checkout works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.alliance.settings import AllianceSettings
from gateway.checkout.lifetimes import LifetimeTerms
from gateway.checkout.running import Running
from gateway.checkout.states import TimeOuts
from gateway.directory.directory import Directory
from gateway.membership.buyers import Buyers
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import ChannelKind
from kernel.ids import IdSource
from ledger.contract import Ledger
from merchants.port import Backend

UNANSWERED = (DatabaseUnavailable, Overloaded)
"""How the ledger and backends say that they could not answer."""


class CurrentSettings(Protocol):
    """Knows the alliance's settings."""

    @property
    def current(self) -> AllianceSettings:
        """The version in force."""
        ...


class Issuing(Protocol):
    """Knows whose sales may earn points, as far as settlement is concerned."""

    async def issuing_allowed(self, merchant_id: str, /) -> bool:
        """Whether what the merchant owes lets it issue points.

        Raises:
            DatabaseUnavailable: the ledger can not be read.
        """
        ...


class EveryoneIssues:
    """Lets every merchant's sales earn points."""

    async def issuing_allowed(self, _merchant_id: str, /) -> bool:
        """Yes."""
        return True


def reach_nothing(_step: str) -> None:
    """Does nothing; tests stop the process here instead."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The alliance as a checkout sees it.

    Attributes:
        database: the alliance's; holds checkouts and their requests.
        backend: reaches every merchant's backend, and the alliance's own, by merchant id.
        reach: called with a step's name right after it took effect.
    """

    database: Database
    settings: CurrentSettings
    directory: Directory
    buyers: Buyers
    backend: Backend
    ledger: Ledger
    issuing: Issuing
    ids: IdSource
    clock: Clock
    running: Running
    time_outs: TimeOuts
    reach: Callable[[str], None] = reach_nothing

    def lifetime_terms(self, channel: str) -> LifetimeTerms:
        """How points earned now in this kind of store live."""
        settings = self.settings.current
        return LifetimeTerms(
            time_zone=settings.values.time_zone,
            activation_days=settings.activation_days(ChannelKind(channel)),
            expiry=settings.values.expiry,
            expiry_months=settings.values.expiry_months,
        )
