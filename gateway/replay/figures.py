"""What a replay amounts to, read back through the API, and held against expected figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.feeding.client import FeedFailed, GraphQLClient
from gateway.feeding.periods import read_periods
from gateway.replay import queries
from gateway.replay.setting_up import AMOUNT_LADDER, AMOUNT_STEPS, COUNT_LADDER, COUNT_STEPS, Names

TOP_MEMBERS = 10
COUNT_BANDS = ("prospect", *(name for name, _ in COUNT_STEPS))
AMOUNT_BANDS = ("under_100", *(name for name, _ in AMOUNT_STEPS))

Standing = dict[str, int]
"""Of one card: rank in each alliance ladder by its name, and perhaps `points` it has."""


async def read_standings(
    client: GraphQLClient, cards: Sequence[str], *, admin_token: str, with_points: bool = False
) -> dict[str, Standing]:
    """The standing of each card, by card id; `points` only when asked for."""
    standings: dict[str, Standing] = {}
    for start in range(0, len(cards), queries.CARDS_AT_ONCE):
        chunk = cards[start : start + queries.CARDS_AT_ONCE]
        data = await client.ask(
            queries.standings_query(len(chunk), with_points=with_points),
            {f"c{index}": card for index, card in enumerate(chunk)},
            token=admin_token,
        )
        for node in data.values():
            standing = {tier["ladder"]: tier["rank"] for tier in node["allianceWallet"]["tiers"]}
            if with_points:
                points = node["points"]
                whole = points["available"] + points["held"] + points["pending"]
                standing["points"] = whole - points["debt"]
            standings[node["id"]] = standing
    return standings


def tier_bands(standings: Iterable[Standing]) -> dict[str, dict[str, int]]:
    """How many members stand in each band of the two ladders."""
    by_count: Counter[int] = Counter()
    by_amount: Counter[int] = Counter()
    for standing in standings:
        by_count[standing[COUNT_LADDER]] += 1
        by_amount[standing[AMOUNT_LADDER]] += 1
    return {
        "by_count": {band: by_count[rank] for rank, band in enumerate(COUNT_BANDS)},
        "by_amount": {band: by_amount[rank] for rank, band in enumerate(AMOUNT_BANDS)},
    }


async def read_figures(
    client: GraphQLClient,
    names: Names,
    *,
    card_by_member: Mapping[str, str],
    refunds: Mapping[str, int],
    refunds_capped: int,
    admin_token: str,
) -> dict[str, Any]:
    """Every figure of the replayed alliance.

    Args:
        refunds: cash of each refund by its number, as the API answered.
    """
    orders = await _read_orders(client, names, admin_token)
    settlement = await _read_settlement(client, names, admin_token)
    standings = await read_standings(
        client, list(card_by_member.values()), admin_token=admin_token, with_points=True
    )
    bands = tier_bands(standings.values())
    points = {member: standings[card]["points"] for member, card in card_by_member.items()}
    by_points = sorted(points.items(), key=lambda item: (-item[1], item[0]))
    if orders["refunded_minor"] != sum(refunds.values()):
        raise FeedFailed("the orders' refunded sums differ from the refunds' cash")
    return {
        "merchants": sorted(names.merchants),
        "orders": orders["count"],
        "members": len(card_by_member),
        "gross_minor": orders["payable_minor"],
        "refunds_matched": len(refunds),
        "refunds_applied_minor": orders["refunded_minor"],
        "refunds_capped": refunds_capped,
        "points_issued": orders["points_earned"],
        "points_clawed_back": settlement["points_clawed_back"],
        "points_live": sum(points.values()),
        "tiers_by_count": bands["by_count"],
        "tiers_by_amount": bands["by_amount"],
        "positions_minor": settlement["positions_minor"],
        "alliance_minor": settlement["alliance_minor"],
        "pool_minor": settlement["pool_minor"],
        "top10_members_by_points": [list(item) for item in by_points[:TOP_MEMBERS]],
    }


def differences(expected: Any, found: Any, path: str = "") -> list[str]:
    """Each figure that differs, with its path; empty when all are equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*expected, *found})
            for line in differences(expected.get(key), found.get(key), f"{path}.{key}")
        ]
    if expected == found:
        return []
    return [f"{path.lstrip('.')}: expected {expected}, found {found}"]


async def _read_orders(client: GraphQLClient, names: Names, token: str) -> dict[str, int]:
    totals = {"count": 0, "payable_minor": 0, "refunded_minor": 0, "points_earned": 0}
    for merchant_id in names.merchants.values():
        after = None
        while True:
            data = await client.ask(
                queries.ORDERS, {"merchantId": merchant_id, "after": after}, token=token
            )
            page = data["merchant"]["orders"]
            for order in page["nodes"]:
                totals["count"] += 1
                totals["payable_minor"] += order["payable"]["amountMinor"]
                totals["refunded_minor"] += order["refunded"]["amountMinor"]
                totals["points_earned"] += order["pointsEarned"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
    return totals


async def _read_settlement(client: GraphQLClient, names: Names, token: str) -> dict[str, Any]:
    reference_by_id = {merchant: reference for reference, merchant in names.merchants.items()}
    positions = dict.fromkeys(sorted(names.merchants), 0)
    alliance_minor = pool_minor = points_clawed_back = 0
    for period in reversed(await read_periods(client, token)):
        after = None
        while True:
            data = await client.ask(
                queries.PERIOD, {"id": period["id"], "after": after}, token=token
            )
            whole = data["clearingPeriod"]
            if not whole["zeroSum"] or not whole["pool"]["balanced"]:
                raise FeedFailed(f"period {period['from']} does not balance")
            for statement in whole["statements"]["nodes"]:
                reference = reference_by_id[statement["merchant"]["id"]]
                positions[reference] += statement["net"]["amountMinor"]
                for line in statement["lines"]:
                    if line["kind"] == "CLAW_BACK":
                        points_clawed_back += abs(line["points"])
            if not whole["statements"]["pageInfo"]["hasNextPage"]:
                break
            after = whole["statements"]["pageInfo"]["endCursor"]
        alliance_minor += whole["alliance"]["amountMinor"]
        pool_minor = whole["pool"]["closing"]["amountMinor"]
    return {
        "positions_minor": positions,
        "alliance_minor": alliance_minor,
        "pool_minor": pool_minor,
        "points_clawed_back": points_clawed_back,
    }
