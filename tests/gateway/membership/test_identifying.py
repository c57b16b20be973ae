from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.membership.lookup_budget import LookupBudget, LookupLimits, RateLimited
from kernel.database import DatabaseUnavailable
from ledger.contract import ApplyRefund, CaptureOrder
from tests.gateway.alliances import IDENTIFY, Counter, merchant_caller, open_alliance

PHONE = {"phone": "+8613800001234"}
CREDENTIALS: list[dict[str, Any]] = [
    PHONE,
    {"email": "ada@example.com"},
    {"wechatUnionId": "oUnion"},
    {"wechatOpenId": {"issuer": "app-1", "value": "oOpen"}},
    {"merchantReference": {"issuer": "old.example", "value": "17"}},
]


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_whoever_joined_is_recognised_by_the_same_credential(
    tmp_path: Path, credential: dict[str, Any]
) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        joined = await here.join(credential)
        found = await here.identify(credential)

        is_proven = "wechatUnionId" in credential
        assert found == {
            "member": {
                "id": joined["member"]["id"],
                "status": "ACTIVE",
                "card": {**joined["member"]["card"], "status": "ACTIVE"},
            },
            "membership": joined["membership"],
            "warnings": [] if is_proven else ["IDENTITY_UNVERIFIED"],
        }


@pytest.mark.parametrize(
    "credential", [*CREDENTIALS, {"cardNumber": "4539148803436467"}, {"cardToken": "x"}]
)
async def test_a_credential_that_nobody_has_names_nobody(
    tmp_path: Path, credential: dict[str, Any]
) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()

        assert await here.identify(credential) is None


async def test_a_card_number_names_its_member_where_they_have_not_joined(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        joined = await here.join(PHONE)
        card = joined["member"]["card"]
        found = await there.identify({"cardNumber": card["number"]})

        assert found["member"]["card"] == {**card, "status": "ACTIVE"}
        assert found["membership"] is None
        assert found["warnings"] == []


async def test_staff_are_warned_of_a_debt(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        joined = await here.join({"wechatUnionId": "oUnion"})
        await _bring_into_debt(here, joined["member"]["card"]["id"])
        found = await here.identify({"wechatUnionId": "oUnion"})

        assert found["warnings"] == ["DEBT_OPEN"]


async def test_a_member_is_recognised_while_the_ledger_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("out of order")

    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        await here.join({"wechatUnionId": "oUnion"})
        monkeypatch.setattr(house.ledger, "balances", silent)
        found = await here.identify({"wechatUnionId": "oUnion"})

        assert found["warnings"] == ["DEBT_UNKNOWN"]


async def test_a_malformed_credential_is_a_fault_and_not_a_look_up(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        data, codes = await _ask(here, {"phone": "138"})

        assert data == {"identify": None}
        assert codes == ["BAD_USER_INPUT"]


async def test_a_till_identifies_in_its_own_stores_only(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        for caller in (
            there.till,
            merchant_caller(here.merchant_id, await house.open_store(here.merchant_id, "S2")),
        ):
            _, codes = await house.ask_with_errors(
                IDENTIFY, {"credential": PHONE, "storeId": here.store_id}, caller=caller
            )
            assert codes == ["FORBIDDEN"]


async def test_a_merchant_that_guesses_is_stopped_and_others_are_not(tmp_path: Path) -> None:
    limits = LookupLimits(burst=2_500, per_second=1, miss=1_000)
    async with open_alliance(tmp_path, lookup_limits=limits) as house:
        here, there = await house.counter("A"), await house.counter("B")
        guesses = [f"+861380000{guess:04}" for guess in range(3)]
        for phone in guesses:
            assert await here.identify({"phone": phone}) is None

        assert (await _ask(here, PHONE))[1] == ["RATE_LIMITED"]
        assert (await _ask(there, PHONE))[1] == []


async def test_guessing_card_numbers_by_joining_is_stopped_too(tmp_path: Path) -> None:
    limits = LookupLimits(burst=1, per_second=1, miss=1_000)
    async with open_alliance(tmp_path, lookup_limits=limits) as house:
        here = await house.counter()
        refused = await here.join({"cardNumber": "4539148803436467"})

        assert refused["code"] == "NOT_FOUND"
        assert (await _ask(here, PHONE))[1] == ["RATE_LIMITED"]


def test_units_come_back_with_time_up_to_the_burst() -> None:
    budget = LookupBudget(LookupLimits(burst=10, per_second=2, miss=10))
    budget.spend("mer", is_hit=False, monotonic=100.0)
    with pytest.raises(RateLimited) as limited:
        budget.check("mer", monotonic=100.0)
    assert limited.value.extensions == {"code": "RATE_LIMITED", "retryAfterSeconds": 1}

    budget.check("mer", monotonic=100.5)
    budget.spend("mer", is_hit=False, monotonic=1_000.0)
    with pytest.raises(RateLimited):
        budget.check("mer", monotonic=1_000.0)


def test_a_look_up_that_finds_somebody_costs_one_unit() -> None:
    budget = LookupBudget(LookupLimits(burst=3, per_second=1, miss=3))
    for _ in range(3):
        budget.check("mer", monotonic=0.0)
        budget.spend("mer", is_hit=True, monotonic=0.0)

    with pytest.raises(RateLimited):
        budget.check("mer", monotonic=0.0)


async def _ask(here: Counter, credential: dict[str, Any]) -> tuple[Any, list[str]]:
    return await here.house.ask_with_errors(
        IDENTIFY, {"credential": credential, "storeId": here.store_id}, caller=here.till
    )


async def _bring_into_debt(here: Counter, card_id: str) -> None:
    """Earns points, spends them, and takes back what earned them."""
    ledger, now = here.house.ledger, here.house.clock.now()
    earning, spending = (
        CaptureOrder(
            order_id=order_id,
            order_no=order_id,
            merchant_id=here.merchant_id,
            card_id=card_id,
            attempt_id=None,
            points_spent=spent,
            coins_spent_minor=0,
            points_earned=earned,
            at=now,
            active_at=now,
            expires_at=None,
        )
        for order_id, spent, earned in (("ord_1", 0, 100), ("ord_2", 100, 0))
    )
    await ledger.capture_order(earning)
    await ledger.capture_order(spending)
    await ledger.apply_refund(
        ApplyRefund(
            order_id="ord_1",
            refund_no="1",
            merchant_id=here.merchant_id,
            card_id=card_id,
            points_returned=0,
            coins_returned_minor=0,
            points_kept=0,
            at=now,
        )
    )
