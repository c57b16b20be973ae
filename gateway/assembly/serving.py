"""A server over one data directory: the gateway, or some of its subgraphs alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette

from gateway.access.authentication import Authenticator
from gateway.access.authorization import AccessRules
from gateway.access.issuers import trusted_issuers
from gateway.assembly.data_directory import OpenAlliance, open_alliance
from gateway.assembly.lone_subgraph import LoneSubgraph
from gateway.assembly.watching import watched_events, watched_messages, watched_writes
from gateway.http.app import Running, create_app
from gateway.http.cost import OperationCosts
from gateway.http.metrics import Watched
from gateway.settings import Settings
from gateway.webhooks.sender import WebhookSender
from gateway.webhooks.signing import key_of
from kernel.clock import Clock
from kernel.ids import IdSource
from ledger.background import Repeated

DELIVERY_PAUSE_S = 1.0
LOOK_PAUSE_S = 5.0
WEBHOOKS_LEASE = "webhooks"
"""Of several gateways on one alliance, the one that holds it posts the messages."""


async def authenticator_for(
    settings: Settings, directory: Path, opened: OpenAlliance
) -> Authenticator:
    """Checks the tokens that the settings trust; a member's card is looked up in the alliance.

    Raises:
        KeysUnavailable: the key set or the development key can not be read.
    """
    authenticator = Authenticator(
        trusted_issuers(settings, directory=directory),
        unix_time=time.time,
        card_of_member=opened.alliance.member_card,
        survivor_of=opened.alliance.survivor_of,
        epoch=lambda: opened.alliance.merges.epoch,
    )
    await authenticator.refresh()
    return authenticator


@asynccontextmanager
async def delivering(
    settings: Settings, opened: OpenAlliance
) -> AsyncIterator[tuple[Watched, ...]]:
    """Within it, what happens in the books is told to the webhook, if there is one.

    Yields:
        what the metrics show of it.
    """
    if not settings.webhook_url:
        yield ()
        return
    key = key_of(settings.webhook_secret.get_secret_value())
    sender = WebhookSender(settings.webhook_url, key, unix_time=time.time)
    leases = opened.alliance.desk.running.leases
    delivery = opened.ledger.delivery_to(sender, is_ours=lambda: leases.take(WEBHOOKS_LEASE))
    repeated = (
        Repeated("webhooks", delivery.run_once, pause_seconds=DELIVERY_PAUSE_S),
        Repeated("looking at webhooks", delivery.look, pause_seconds=LOOK_PAUSE_S),
    )
    for each in repeated:
        each.start()
    try:
        yield watched_messages(delivery)
    finally:
        delivery.end()
        for each in repeated:
            await each.stop()
        await leases.give_back(WEBHOOKS_LEASE)
        await sender.aclose()


def gateway_app(settings: Settings, *, directory: Path, clock: Clock, ids: IdSource) -> Starlette:
    """The gateway over a data directory, which it opens when it starts."""

    @asynccontextmanager
    async def open_gateway() -> AsyncIterator[Running]:
        async with (
            open_alliance(
                directory,
                databases=settings.databases(directory),
                clock=clock,
                ids=ids,
                limits=settings.limits.operation,
                grant_budget_minor=settings.grant_budget_minor,
                ledger_lanes=settings.ledger_lanes,
                shows_codes=settings.show_codes,
                referral_reward_minor=settings.referral_reward_minor,
            ) as opened,
            delivering(settings, opened) as messages,
        ):
            yield Running(
                opened.engine,
                await authenticator_for(settings, directory, opened),
                OperationCosts(opened.supergraph.public_schema, cost_max=settings.cost_max),
                watched=(watched_events(opened), *watched_writes(opened), *messages),
                databases=opened.databases,
            )

    return create_app(
        open_gateway,
        ids=ids,
        limits=settings.limits,
        with_explorer=settings.explorer,
        tells_plans=settings.development,
    )


def subgraph_app(
    name: str, settings: Settings, *, directory: Path, clock: Clock, ids: IdSource
) -> Starlette:
    """One subgraph of a data directory, alone; `name` is one of `subgraph_schemas()`."""

    @asynccontextmanager
    async def open_subgraph() -> AsyncIterator[Running]:
        limits = settings.limits.operation
        async with open_alliance(
            directory,
            databases=settings.databases(directory),
            clock=clock,
            ids=ids,
            limits=limits,
            grant_budget_minor=settings.grant_budget_minor,
            ledger_lanes=settings.ledger_lanes,
            shows_codes=settings.show_codes,
            referral_reward_minor=settings.referral_reward_minor,
        ) as opened:
            lone = LoneSubgraph(
                opened.hosted[name],
                transport=opened.transports[name],
                authorize=AccessRules(opened.supergraph).authorize,
                limits=limits,
            )
            yield Running(
                lone,
                await authenticator_for(settings, directory, opened),
                databases=opened.databases,
            )

    return create_app(open_subgraph, ids=ids, limits=settings.limits, with_explorer=False)
