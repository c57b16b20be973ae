"""Every merchant's tiers of a replayed alliance, read back through the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.feeding.client import FeedFailed, GraphQLClient
from gateway.replay.queries import CARD_TIERS
from gateway.replay.recount import CountedTiers
from gateway.replay.setting_up import AMOUNT_LADDER, COUNT_LADDER, Names


async def read_merchant_tiers(
    client: GraphQLClient,
    names: Names,
    *,
    card_by_member: Mapping[str, str],
    admin_token: str,
) -> dict[tuple[str, str], CountedTiers]:
    """Where each member stands at each merchant it joined, by (merchant, member)."""
    reference_by_id = {merchant: reference for reference, merchant in names.merchants.items()}
    found: dict[tuple[str, str], CountedTiers] = {}
    for member, card in sorted(card_by_member.items()):
        after = None
        while True:
            data = await client.ask(CARD_TIERS, {"id": card, "after": after}, token=admin_token)
            page = data["node"]["memberships"]
            for node in page["nodes"]:
                key = (reference_by_id[node["merchant"]["id"]], member)
                found[key] = _tiers(node["wallet"]["tiers"])
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    return found


def tier_differences(
    expected: Mapping[tuple[str, str], CountedTiers], found: Mapping[tuple[str, str], CountedTiers]
) -> list[str]:
    """Each member whose tiers at a merchant differ; empty when all are equal."""
    return [
        f"{merchant} {member}: expected {expected.get((merchant, member))}, "
        f"found {found.get((merchant, member))}"
        for merchant, member in sorted({*expected, *found})
        if expected.get((merchant, member)) != found.get((merchant, member))
    ]


def _tiers(standings: list[dict[str, Any]]) -> CountedTiers:
    by_ladder = {each["ladder"]: each for each in standings}
    if set(by_ladder) != {COUNT_LADDER, AMOUNT_LADDER}:
        raise FeedFailed(f"a merchant has other ladders than it was given: {sorted(by_ladder)}")
    count, amount = by_ladder[COUNT_LADDER], by_ladder[AMOUNT_LADDER]
    return CountedTiers(
        count["progress"]["current"],
        count["rank"],
        amount["progress"]["current"],
        amount["rank"],
    )
