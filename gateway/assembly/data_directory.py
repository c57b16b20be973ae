"""Opens a data directory: its databases, its subgraphs and the engine over them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema

from gateway.alliance.subgraph import AllianceSubgraph
from gateway.assembly.databases import ALLIANCE, LEDGER, MERCHANTS, Databases
from gateway.assembly.engine import assemble_engine
from gateway.assembly.fresh import FreshTransport
from gateway.assembly.merchant_shards import merchants_transport
from gateway.assembly.schemas import own_supergraph
from gateway.federation.engine import Engine
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext, Transport
from gateway.http.limits import OperationLimits
from gateway.membership.referrals import REWARD_MINOR
from gateway.transports.in_process import InProcessTransport
from kernel.clock import Clock
from kernel.database import Database, DirectoryLock
from kernel.graphql import check_scalars
from kernel.ids import IdSource
from ledger.contract import GRANT_BUDGET_MINOR, LedgerSettings
from ledger.subgraph import LedgerSubgraph
from merchants.hosted import MerchantSettings
from merchants.subgraph import HostedMerchants


@dataclass(frozen=True, slots=True)
class Hosted:
    """A subgraph of this process, as transports reach it."""

    schema: GraphQLSchema
    context_factory: Callable[[CallContext], Any]


@dataclass(frozen=True, slots=True)
class OpenAlliance:
    """A data directory that is open.

    Attributes:
        hosted: its subgraphs by name.
        transports: how each is reached in this process, whole.
        engine: answers clients.
    """

    supergraph: Supergraph
    hosted: Mapping[str, Hosted]
    transports: Mapping[str, Transport]
    engine: Engine
    alliance: AllianceSubgraph
    ledger: LedgerSubgraph
    merchants: HostedMerchants

    @property
    def databases(self) -> dict[str, Database]:
        """The three databases by name, as the settings call them."""
        return {
            ALLIANCE: self.alliance.database,
            LEDGER: self.ledger.database,
            MERCHANTS: self.merchants.backend.database,
        }


class _LateAlliance:
    """Lets the ledger and the backends ask for settings, which the alliance opens after them."""

    def __init__(self, grant_budget_minor: int) -> None:
        self.alliance: AllianceSubgraph | None = None
        self._grant_budget_minor = grant_budget_minor

    def ledger_settings(self) -> LedgerSettings:
        assert self.alliance is not None
        return replace(self.alliance.ledger_settings, grant_budget_minor=self._grant_budget_minor)

    async def has_card(self, card_id: str) -> bool:
        assert self.alliance is not None
        return await self.alliance.has_card(card_id)

    async def deposit_held_until(self, merchant_id: str) -> datetime | None:
        assert self.alliance is not None
        merchant = self.alliance.directory.merchant(merchant_id)
        return None if merchant is None else merchant.deposit_held_until

    async def may_fund_grants(self, merchant_id: str) -> bool:
        assert self.alliance is not None
        merchant = self.alliance.directory.merchant(merchant_id)
        return merchant is not None and not merchant.is_leaving

    async def has_merchant(self, merchant_id: str) -> bool:
        assert self.alliance is not None
        return self.alliance.directory.merchant(merchant_id) is not None

    def merchant_settings(self) -> MerchantSettings:
        assert self.alliance is not None
        values = self.alliance.settings.values
        return MerchantSettings(
            currency=values.currency,
            time_zone=values.time_zone,
            alliance_merchant_id=self.alliance.directory.alliance.id,
        )


@asynccontextmanager
async def open_alliance(
    directory: Path,
    *,
    databases: Databases | None = None,
    clock: Clock,
    ids: IdSource,
    limits: OperationLimits | None = None,
    with_sweepers: bool = True,
    grant_budget_minor: int = GRANT_BUDGET_MINOR,
    ledger_lanes: int | None = None,
    shows_codes: bool = False,
    referral_reward_minor: int = REWARD_MINOR,
) -> AsyncIterator[OpenAlliance]:
    """The alliance in a data directory, made when it is missing; closed on leaving.

    Args:
        databases: where they are; files in the directory unless told.
        with_sweepers: whether to finish, in the background, what time-outs and crashes left.
        grant_budget_minor: coins that one funder may grant in one clearing period.
        ledger_lanes: of a new ledger, for ever; one that is there must have as many. None leaves
            it to the kind of database.
        shows_codes: whether one-time codes are written to the log, for development.
        referral_reward_minor: coins for an invited friend who bought, minor units.

    Raises:
        DirectoryInUse: another server runs on it.
        DatabaseUnavailable: a database can not be opened or written, or the lanes differ.
    """
    async with AsyncExitStack() as stack:
        databases = databases or Databases.in_files_of(directory)
        if databases.any_file:
            stack.callback(DirectoryLock(directory).release)
        alliance, ledger, merchants = await _open_subgraphs(
            stack,
            databases,
            clock,
            ids,
            _LateAlliance(grant_budget_minor),
            ledger_lanes,
            shows_codes=shows_codes,
            referral_reward_minor=referral_reward_minor,
        )
        hosted = {
            subgraph.schema.name: _hosted(subgraph) for subgraph in (alliance, ledger, merchants)
        }
        supergraph = own_supergraph()
        check_scalars(supergraph.public_schema)
        whole = {name: _transport(each, alliance) for name, each in hosted.items()}
        engine = assemble_engine(
            supergraph, _sharded(whole, alliance.directory.alliance.id), limits=limits
        )
        if with_sweepers:
            alliance.sweepers.start()
            stack.push_async_callback(alliance.sweepers.stop)
            for repeated in (ledger.expiry, ledger.notices):
                repeated.start()
                stack.push_async_callback(repeated.stop)
        yield OpenAlliance(supergraph, hosted, whole, engine, alliance, ledger, merchants)


async def _open_subgraphs(
    stack: AsyncExitStack,
    databases: Databases,
    clock: Clock,
    ids: IdSource,
    late: _LateAlliance,
    ledger_lanes: int | None,
    *,
    shows_codes: bool,
    referral_reward_minor: int,
) -> tuple[AllianceSubgraph, LedgerSubgraph, HostedMerchants]:
    ledger = await LedgerSubgraph.open(
        databases.ledger,
        clock=clock,
        ids=ids,
        settings=late.ledger_settings,
        registry=late,
        lanes=ledger_lanes,
    )
    stack.push_async_callback(ledger.close)
    merchants = await HostedMerchants.open(
        databases.merchants, clock=clock, ids=ids, settings=late.merchant_settings
    )
    stack.push_async_callback(merchants.close)
    alliance = await AllianceSubgraph.open(
        databases.alliance,
        clock=clock,
        ids=ids,
        ledger=ledger.ledger,
        issuing=ledger.issuing,
        backend=merchants.backend,
        shows_codes=shows_codes,
        referral_reward_minor=referral_reward_minor,
    )
    stack.push_async_callback(alliance.close)
    late.alliance = alliance
    await alliance.resume()
    return alliance, ledger, merchants


def _transport(hosted: Hosted, alliance: AllianceSubgraph) -> Transport:
    direct = InProcessTransport(hosted)
    if not alliance.database.is_shared:
        return direct
    return FreshTransport(direct, alliance.catch_up)


def _sharded(whole: Mapping[str, Transport], alliance_merchant_id: str) -> dict[str, Transport]:
    backends = whole["merchants"]
    merchants = merchants_transport(
        lambda _merchant_id: backends, alliance_merchant_id=alliance_merchant_id
    )
    return {**whole, "merchants": merchants}


def _hosted(subgraph: AllianceSubgraph | LedgerSubgraph | HostedMerchants) -> Hosted:
    def context_for(context: CallContext) -> Any:
        return subgraph.context_for(
            context.caller,
            request_id=context.request_id,
            language=context.headers.get("accept-language", "en"),
        )

    return Hosted(subgraph.schema.executable, context_for)
