"""Inputs that several journeys send: terms, a coupon, a promotion, a task, a plan, steps."""

from __future__ import annotations

from typing import Any

from tests.journeys.town import cny

TERMS = {
    "issuePrice": "1",
    "redeemPrice": "1",
    "issueFeeBps": 400,
    "redeemFeeBps": 200,
    "breakageIssuerBps": 5_000,
}
TEMPLATE = {
    "title": "减5",
    "kind": "AMOUNT_OFF",
    "amount": cny(500),
    "minSpend": cny(1_000),
    "quotaPerMember": 10,
}
PROMOTION = {
    "title": "满50减8",
    "kind": "THRESHOLD_OFF",
    "startsAt": "2026-03-01T00:00:00Z",
    "endsAt": "2036-03-01T00:00:00Z",
    "threshold": cny(5_000),
    "off": cny(800),
}
TASK = {"code": "CHECK_IN", "title": "签到", "growth": 5, "perDay": 1_000}
PLAN = {"code": "YEAR", "title": "年卡", "price": cny(9_900), "months": 12}
STATEMENT_STEPS: dict[str, dict[str, Any]] = {
    "confirmStatement": {},
    "disputeStatement": {"reason": "少算一单"},
    "resolveDispute": {"adjustment": cny(-1), "reason": "已核对"},
    "recordPayment": {"reference": "汇款 1"},
}
STEPS = [{"name": "新客", "rank": 1, "threshold": 1}]
