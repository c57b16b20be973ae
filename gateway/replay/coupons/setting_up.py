"""Makes the alliance that a chain's coupons are replayed in: settings, the chain, its stores."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient
from gateway.replay.coupons.history import ChainTemplate

TIME_ZONE = "America/New_York"
CURRENCY = "USD"
CHAIN = "chain"


async def set_up_chain(
    client: GraphQLClient, stores: Iterable[str], *, admin_token: str
) -> tuple[str, dict[str, str]]:
    """The chain's merchant id, and its store ids by number; repeating it changes nothing."""
    await client.change(
        operations.CONFIGURE_ALLIANCE,
        with_id(
            "configure",
            currency=CURRENCY,
            timeZone=TIME_ZONE,
            earnPointsPerMajorUnit=1,
            memberPointValue="1",
            activationDaysStore=0,
            activationDaysOnline=0,
            expiry="NONE",
            debtPolicy="DEBT",
            depositPolicy="OFF",
            pointsCapBps=5_000,
        ),
        token=admin_token,
        success="AllianceConfigured",
    )
    admitted = await client.change(
        operations.ADMIT_MERCHANT,
        with_id("admit", reference=CHAIN, name="The chain", backend={"kind": "HOSTED"}),
        token=admin_token,
        success="MerchantAdmitted",
    )
    merchant_id: str = admitted["merchant"]["id"]
    store_ids: dict[str, str] = {}
    for store in sorted(stores):
        opened = await client.change(
            operations.OPEN_STORE,
            with_id(
                f"open-{store}",
                merchantId=merchant_id,
                reference=store,
                name=f"Store {store}",
                channel="STORE_POS",
            ),
            token=admin_token,
            success="StoreOpened",
        )
        store_ids[store] = opened["store"]["id"]
    return merchant_id, store_ids


def template_input(template: ChainTemplate, *, merchant_id: str) -> dict[str, Any]:
    """The template as the chain would create it.

    Each coupon has a stacking group of its own: the history has up to a dozen in one basket.
    """
    campaign = template.campaign
    return with_id(
        f"template-{template.name}",
        merchantId=merchant_id,
        title=f"{template.coupon} of campaign {campaign.reference}",
        kind="AMOUNT_OFF",
        amount=money(template.face_minor),
        minSpend=money(0),
        skus=list(template.skus),
        validFrom=format_instant(day_start(campaign.first_day)),
        validUntil=format_instant(day_start(campaign.last_day + timedelta(days=1))),
        quotaPerMember=max(template.holders.values()),
        stackingGroup=template.name,
    )


def with_id(request_id: str, **fields: Any) -> dict[str, Any]:
    """Variables of a mutation, with a request id that is the same in every run."""
    return {"input": {"requestId": f"coupons-{request_id}", **fields}}


def money(amount_minor: int) -> dict[str, Any]:
    """An amount as an input of the API."""
    return {"amountMinor": amount_minor, "currency": CURRENCY}


def day_start(day: date) -> datetime:
    """When a day begins in the alliance's time zone, UTC."""
    return instant_of(datetime.combine(day, time(0)))


def instant_of(local: datetime) -> datetime:
    """The instant of a local time of the history, UTC."""
    return local.replace(tzinfo=ZoneInfo(TIME_ZONE)).astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """The instant as an input of the API."""
    return instant.isoformat().replace("+00:00", "Z")
