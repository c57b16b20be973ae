"""A small invented history in the files that a replay reads, and what it amounts to.

The figures are counted from the rows alone, by other means than the gateway's.
"""

import csv
import gzip
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FIRST_DAY = date(2025, 1, 30)
DAYS = 40


@dataclass(frozen=True)
class Rows:
    merchants: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    refunds: list[dict[str, Any]]


def invent(seed: int = 7, orders: int = 60) -> Rows:
    draw = random.Random(seed)
    merchants = [
        {"merchant_id": f"MER{n}", "name": f"Shop {n}", "name_rule": rule}
        for n, rule in enumerate(["brand_rule", "brand_rule", "printed", "brand_rule"], start=1)
    ]
    made: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    refunds: list[dict[str, Any]] = []
    for n in range(1, orders + 1):
        number = f"O{n:04}"
        own = [draw.randrange(1, 20_000) for _ in range(draw.randint(1, 3))]
        lines += [
            {
                "order_id": number,
                "line_no": k,
                "product_id": "" if k == 2 else f"P{k}",
                "category": "things",
                "qty": 1,
                "unit_price_minor": price,
            }
            for k, price in enumerate(own, start=1)
        ]
        placed = FIRST_DAY + timedelta(days=draw.randrange(DAYS))
        made.append(
            {
                "order_id": number,
                "member_id": f"M{draw.randint(1, 7)}",
                "merchant_id": f"MER{draw.randint(1, 4)}",
                "channel": draw.choice(["online", "offline", "unknown"]),
                "placed_at": placed.isoformat(),
                "total_minor": sum(own),
            }
        )
        if draw.random() < 0.3:
            for part in range(draw.randint(1, 2)):
                refunds.append(
                    {
                        "refund_id": f"R{n:04}-{part}",
                        "refunded_at": (placed + timedelta(days=draw.randrange(30))).isoformat(),
                        "amount_minor": draw.choice([sum(own), max(1, sum(own) // 3)]),
                        "matched_order_id": number,
                    }
                )
    refunds.append(
        {"refund_id": "R9", "refunded_at": "2025-02-01", "amount_minor": 5, "matched_order_id": ""}
    )
    return Rows(merchants, made, lines, refunds)


def write(rows: Rows, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("merchants", rows.merchants),
        ("orders", rows.orders),
        ("order_lines", rows.lines),
        ("refunds", rows.refunds),
    ):
        with gzip.open(directory / f"{name}.csv.gz", "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(table[0]))
            writer.writeheader()
            writer.writerows(table)


def expected_figures(rows: Rows, merchants: set[str]) -> dict[str, Any]:
    """Counts what the alliance must come to; fee 5 % half up, given back pro rata."""
    orders = {o["order_id"]: o for o in rows.orders if o["merchant_id"] in merchants}
    kept = {number: order["total_minor"] for number, order in orders.items()}
    issued = {number: amount // 100 for number, amount in kept.items()}
    fees = {number: (points * 500 + 5_000) // 10_000 for number, points in issued.items()}
    position = dict.fromkeys(sorted(merchants), 0)
    for number, order in orders.items():
        position[order["merchant_id"]] -= issued[number] + fees[number]
    capped = applied = 0
    back_points: dict[str, int] = defaultdict(int)
    back_fees: dict[str, int] = defaultdict(int)
    matched = [r for r in rows.refunds if r["matched_order_id"] in orders]
    for refund in sorted(matched, key=lambda r: (r["refunded_at"], r["refund_id"])):
        number = refund["matched_order_id"]
        taken = min(refund["amount_minor"], kept[number])
        capped += taken < refund["amount_minor"]
        applied += taken
        back = kept[number] // 100 - (kept[number] - taken) // 100
        kept[number] -= taken
        back_points[number] += back
        if back:
            whole = 2 * fees[number] * back_points[number] + issued[number]
            fee = whole // (2 * issued[number]) - back_fees[number]
            back_fees[number] += fee
            position[orders[number]["merchant_id"]] += back + fee
    members: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for number, order in orders.items():
        total = members[order["member_id"]]
        total[0] += kept[number] > 0
        total[1] += kept[number]
        total[2] += kept[number] // 100
    live = sum(total[2] for total in members.values())
    return {
        "merchants": sorted(merchants),
        "orders": len(orders),
        "members": len(members),
        "gross_minor": sum(order["total_minor"] for order in orders.values()),
        "refunds_matched": len(matched),
        "refunds_applied_minor": applied,
        "refunds_capped": capped,
        "points_issued": sum(issued.values()),
        "points_clawed_back": sum(issued.values()) - live,
        "points_live": live,
        "tiers_by_count": _bands(
            [total[0] for total in members.values()],
            [("prospect", 0), ("1", 1), ("2_to_4", 2), ("5_to_9", 5), ("10_up", 10)],
        ),
        "tiers_by_amount": _bands(
            [total[1] for total in members.values()],
            [("under_100", 0), ("100_up", 10_000), ("500_up", 50_000), ("1000_up", 100_000)],
        ),
        "positions_minor": position,
        "alliance_minor": sum(fees.values()) - sum(back_fees.values()),
        "pool_minor": live,
        "top10_members_by_points": sorted(
            ([member, total[2]] for member, total in members.items()),
            key=lambda item: (-item[1], item[0]),
        )[:10],
    }


def _bands(values: list[int], bands: list[tuple[str, int]]) -> dict[str, int]:
    counted = {name: 0 for name, _ in bands}
    for value in values:
        counted[[name for name, least in bands if value >= least][-1]] += 1
    return counted
