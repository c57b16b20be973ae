from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from sqlalchemy import insert, select, text

from gateway.alliance.migrations import HISTORY
from gateway.membership.cards import (
    card_number,
    check_digit,
    display_token,
    is_card_number,
    read_token,
    stands_for,
)
from gateway.membership.people import Card, CardStatus
from gateway.membership.tables import ERASURE
from gateway.membership.used_tokens_sql import KEPT_SECONDS
from kernel.database import DatabaseUnavailable, open_database
from kernel.ids import derived_id
from tests.gateway.alliances import member_caller, open_alliance

NOW = datetime(2026, 3, 1, 9, 30, 0, 500_000, tzinfo=UTC)
SECRET = b"s" * 32
CARD = Card(derived_id("card", "1"), "mem_1", "9000000000000000", CardStatus.ACTIVE, 1)


@pytest.mark.parametrize("body", ["453914880343646", "7992739871", "0"])
def test_a_check_digit_makes_the_number_pass_luhns_check(body: str) -> None:
    known = {"453914880343646": "7", "7992739871": "3", "0": "0"}

    assert check_digit(body) == known[body]


def test_every_single_wrong_digit_of_a_card_number_is_noticed() -> None:
    number = card_number(CARD.id, generation=1, attempt=0, secret=SECRET)
    wrong = [
        number[:place] + digit + number[place + 1 :]
        for place in range(16)
        for digit in "0123456789"
        if digit != number[place]
    ]

    assert is_card_number(number)
    assert not any(is_card_number(each) for each in wrong)


def test_card_numbers_differ_by_card_generation_attempt_and_secret() -> None:
    other = derived_id("card", "2")
    numbers = [
        card_number(CARD.id, generation=1, attempt=0, secret=SECRET),
        card_number(other, generation=1, attempt=0, secret=SECRET),
        card_number(CARD.id, generation=2, attempt=0, secret=SECRET),
        card_number(CARD.id, generation=1, attempt=1, secret=SECRET),
        card_number(CARD.id, generation=1, attempt=0, secret=b"t" * 32),
    ]

    assert len(set(numbers)) == 5


def test_a_token_stands_for_its_card_for_a_minute_at_most() -> None:
    made = display_token(CARD, now=NOW, secret=SECRET)
    shown = read_token(made.token)

    assert shown is not None
    assert shown.card_id == CARD.id
    assert made.expires_at <= NOW + timedelta(seconds=60)
    just_before = made.expires_at - timedelta(microseconds=1)
    assert stands_for(shown, CARD, now=just_before, secret=SECRET)
    assert not stands_for(shown, CARD, now=made.expires_at, secret=SECRET)


def test_a_token_stands_for_no_other_card_number_secret_or_time() -> None:
    shown = read_token(display_token(CARD, now=NOW, secret=SECRET).token)

    assert shown is not None
    assert not stands_for(shown, replace(CARD, generation=2), now=NOW, secret=SECRET)
    assert not stands_for(shown, replace(CARD, id="card_x"), now=NOW, secret=SECRET)
    assert not stands_for(shown, CARD, now=NOW, secret=b"t" * 32)
    later = replace(shown, expires_s=shown.expires_s + 60)
    assert not stands_for(later, CARD, now=NOW, secret=SECRET)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é" * 40, "0" * 26 + ".1." + "g" * 32])
def test_text_that_is_no_token_names_nobody(text: str) -> None:
    assert read_token(text) is None


async def test_a_shown_token_names_the_member_anywhere_until_it_expires(
    tmp_path: Path,
) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        joined = await here.join({"phone": "+8613800001234"})
        member_id = joined["member"]["id"]
        data = await house.ask(
            "{ me { card { displayToken { token expiresAt } } } }",
            caller=member_caller(member_id),
        )
        token = data["me"]["card"]["displayToken"]["token"]

        found = await there.identify({"cardToken": token})
        assert found["member"]["id"] == member_id
        assert found["membership"] is None
        assert found["warnings"] == []

        house.clock.set(house.clock.now() + timedelta(seconds=60))
        assert await there.identify({"cardToken": token}) is None
        refused = await there.join({"cardToken": token})
        assert refused["code"] == "VERIFICATION_FAILED"
        assert refused["attemptsLeft"] == 0


async def test_a_token_that_one_merchant_recognised_serves_nobody_at_another(
    tmp_path: Path,
) -> None:
    async with open_alliance(tmp_path) as house:
        home, here, there = [await house.counter(name) for name in "ABC"]
        joined = await home.join({"phone": "+8613800001234"})
        credential = {"cardToken": await shown_token(house, joined["member"]["id"])}

        found = await here.identify(credential)
        assert found["member"]["id"] == joined["member"]["id"]
        assert await there.identify(credential) is None
        refused = await there.join(credential)
        assert refused["code"] == "VERIFICATION_FAILED"

        # Where it was shown first it goes on: to be asked again, and to join.
        assert (await here.identify(credential))["member"]["id"] == joined["member"]["id"]
        assert (await here.join(credential))["alreadyMember"] is False


async def test_of_merchants_that_ask_at_once_one_recognises_the_token(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        counters = [await house.counter(name) for name in "ABCDEFGH"]
        joined = await counters[0].join({"phone": "+8613800001234"})
        credential = {"cardToken": await shown_token(house, joined["member"]["id"])}

        found = await asyncio.gather(*(each.identify(credential) for each in counters))

        assert [each is None for each in found].count(False) == 1


async def test_a_used_token_is_written_once_and_kept_past_its_end(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        till = await house.counter()
        joined = await till.join({"phone": "+8613800001234"})
        credential = {"cardToken": await shown_token(house, joined["member"]["id"])}
        database, sweep = house.alliance.desk.database, house.alliance.recognition.sweep
        assert await till.identify(credential) is not None

        writes = AsyncMock(side_effect=DatabaseUnavailable("It is read only."))
        with patch.object(database, "transaction", writes):
            again = await till.identify(credential)
            house.clock.set(house.clock.now() + timedelta(seconds=60 + KEPT_SECONDS - 1))
            swept_early = await sweep()
        house.clock.set(house.clock.now() + timedelta(seconds=1))

        assert again["member"]["id"] == joined["member"]["id"]
        assert [swept_early, await sweep(), await sweep()] == [0, 1, 0]


async def test_erasures_of_before_are_told_to_backends_once_more(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        joined = await (await house.counter()).join({"phone": "+8613800001234"})
        row = {"member_id": joined["member"]["id"], "card_id": "card", "requested_by": "r", "at": 1}
        database = house.alliance.desk.database
        await database.transaction(
            lambda connection: connection.execute(insert(ERASURE).values(**row, is_done=True))
        )
        await database.transaction(
            lambda connection: connection.execute(
                text("UPDATE alembic_version SET version_num = 'alliance_0003'")
            )
        )
        address = database.address

    upgraded = await open_database(address, HISTORY)
    done = await upgraded.snapshot(
        lambda connection: list(connection.execute(select(ERASURE.c.is_done)).scalars())
    )
    await upgraded.close()

    assert done == [False]


async def shown_token(house: Any, member_id: str) -> str:
    """What the member's app shows now."""
    data = await house.ask(
        "{ me { card { displayToken { token } } } }", caller=member_caller(member_id)
    )
    return str(data["me"]["card"]["displayToken"]["token"])
