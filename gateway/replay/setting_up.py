"""Makes the alliance that a history is replayed in: settings, merchants, stores, ladders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.feeding import operations
from gateway.feeding.client import GraphQLClient
from gateway.replay.history import STORE_POS, WEB_SHOP, History

COUNT_LADDER = "count"
AMOUNT_LADDER = "amount"
COUNT_STEPS = (("1", 1), ("2_to_4", 2), ("5_to_9", 5), ("10_up", 10))
AMOUNT_STEPS = (("100_up", 10_000), ("500_up", 50_000), ("1000_up", 100_000))
MERCHANT_AMOUNT_STEPS = (("basic", 0), *AMOUNT_STEPS)
TIME_ZONE = "Europe/London"
CURRENCY = "GBP"


@dataclass(frozen=True, slots=True)
class Names:
    """Ids that the alliance gave.

    Attributes:
        merchants: merchant id by the history's reference.
        stores: store id by (reference, channel).
    """

    merchants: dict[str, str]
    stores: dict[tuple[str, str], str]


async def set_up(client: GraphQLClient, history: History, *, admin_token: str) -> Names:
    """Configures the alliance and admits the history's merchants; repeating it changes nothing."""
    alliance_id = await _configure(client, admin_token)
    await _set_ladder(client, admin_token, alliance_id, COUNT_LADDER, "PURCHASE_COUNT", COUNT_STEPS)
    await _set_ladder(client, admin_token, alliance_id, AMOUNT_LADDER, "AMOUNT", AMOUNT_STEPS)
    merchants: dict[str, str] = {}
    stores: dict[tuple[str, str], str] = {}
    for merchant in history.merchants:
        admitted = await client.change(
            operations.ADMIT_MERCHANT,
            _input(
                f"admit-{merchant.reference}",
                reference=merchant.reference,
                name=merchant.name,
                backend={"kind": "HOSTED"},
            ),
            token=admin_token,
            success="MerchantAdmitted",
        )
        merchant_id = merchants[merchant.reference] = admitted["merchant"]["id"]
        for name, metric, steps in (
            (COUNT_LADDER, "PURCHASE_COUNT", COUNT_STEPS),
            (AMOUNT_LADDER, "AMOUNT", MERCHANT_AMOUNT_STEPS),
        ):
            await _set_ladder(
                client, admin_token, merchant_id, name, metric, steps, of=merchant.reference
            )
        for channel in (STORE_POS, WEB_SHOP):
            opened = await client.change(
                operations.OPEN_STORE,
                _input(
                    f"open-{merchant.reference}-{channel}",
                    merchantId=merchant_id,
                    reference=channel,
                    name=f"{merchant.name} {channel}",
                    channel=channel,
                ),
                token=admin_token,
                success="StoreOpened",
            )
            stores[merchant.reference, channel] = opened["store"]["id"]
    return Names(merchants, stores)


async def _configure(client: GraphQLClient, token: str) -> str:
    configured = await client.change(
        operations.CONFIGURE_ALLIANCE,
        _input(
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
        token=token,
        success="AllianceConfigured",
    )
    merchant_id: str = configured["settings"]["merchant"]["id"]
    return merchant_id


async def _set_ladder(
    client: GraphQLClient,
    token: str,
    merchant_id: str,
    name: str,
    metric: str,
    steps: tuple[tuple[str, int], ...],
    *,
    of: str = "",
) -> None:
    await client.change(
        operations.SET_TIER_LADDER,
        _input(
            f"ladder-{of}-{name}" if of else f"ladder-{name}",
            merchantId=merchant_id,
            name=name,
            primary=name == COUNT_LADDER,
            metric=metric,
            window="LIFETIME",
            steps=[
                {"name": step, "rank": rank, "threshold": threshold}
                for rank, (step, threshold) in enumerate(steps, start=1)
            ],
        ),
        token=token,
        success="TierLadderSet",
    )


def _input(request_id: str, **fields: Any) -> dict[str, Any]:
    return {"input": {"requestId": f"replay-{request_id}", **fields}}
