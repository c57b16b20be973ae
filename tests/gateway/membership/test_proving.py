from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.membership.identities import IdentityKind, StatedCredential
from gateway.membership.lookup_budget import RateLimited
from gateway.membership.proving import RequestCode
from gateway.membership.tables import MESSAGE, VERIFICATION_CODE
from gateway.membership.verification import CODES_PER_VALUE
from tests.gateway.alliances import ADMIN, Counter, House, member_caller, open_alliance

PHONE = "+8613800001234"
OTHER = "+8613900005678"
IDENTITIES = "{ me { id identities { kind verified masked assertedBy { id } } } }"


async def sent_to(house: House, recipient: str) -> list[str]:
    """Codes on their way to an address, oldest first."""
    return await house.alliance.database.snapshot(
        lambda connection: list(
            connection.execute(
                select(MESSAGE.c.body)
                .where(MESSAGE.c.recipient == recipient)
                .order_by(MESSAGE.c.created_at, MESSAGE.c.id)
            ).scalars()
        )
    )


async def ask_code(house: House, member_id: str, phone: str = PHONE) -> str:
    answer = await house.change(
        "requestVerificationCode", {"credential": {"phone": phone}}, caller=member_caller(member_id)
    )
    assert answer["__typename"] == "VerificationCodeSent"
    return (await sent_to(house, phone))[-1]


async def link(house: House, member_id: str, code: str | None, phone: str = PHONE) -> Any:
    fields: dict[str, Any] = {"memberId": member_id, "credential": {"phone": phone}}
    if code is not None:
        fields["verificationCode"] = code
    return await house.change("linkIdentity", fields, caller=member_caller(member_id))


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_proven_phone_names_the_member_at_every_merchant(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        member_id = (await here.join({"phone": PHONE}))["member"]["id"]
        assert await there.identify({"phone": PHONE}) is None

        linked = await link(house, member_id, await ask_code(house, member_id))

        assert linked["member"]["identities"] == [{"kind": "PHONE", "verified": True}]
        found = await there.identify({"phone": PHONE})
        assert (found["member"]["id"], found["warnings"]) == (member_id, [])
        told = await house.ask(IDENTITIES, caller=member_caller(member_id))
        assert told["me"]["identities"][0]["assertedBy"] == {"id": here.merchant_id}


async def test_a_code_is_good_once_and_only_until_a_newer_one_is_asked_for(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": OTHER}))["member"]["id"]
        old = await ask_code(house, member_id)
        house.clock.set(house.clock.now() + timedelta(seconds=1))
        new = await ask_code(house, member_id)

        refused = await link(house, member_id, old if old != new else wrong(old))
        linked = await link(house, member_id, new)
        again = await link(house, member_id, new)

        assert (refused["__typename"], refused["attemptsLeft"]) == ("VerificationFailedRefusal", 4)
        assert linked["__typename"] == "IdentityLinked"
        assert (again["code"], again["attemptsLeft"]) == ("VERIFICATION_FAILED", 0)


async def test_a_code_is_refused_after_five_minutes(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": OTHER}))["member"]["id"]
        code = await ask_code(house, member_id)
        house.clock.set(house.clock.now() + timedelta(minutes=5))

        assert (await link(house, member_id, code))["code"] == "VERIFICATION_FAILED"


async def test_the_fifth_wrong_try_is_the_last(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": OTHER}))["member"]["id"]
        code = await ask_code(house, member_id)

        left = [(await link(house, member_id, wrong(code)))["attemptsLeft"] for _ in range(5)]
        right = await link(house, member_id, code)

        assert left == [4, 3, 2, 1, 0]
        assert (right["code"], right["attemptsLeft"]) == ("VERIFICATION_FAILED", 0)


async def test_a_repeated_wrong_try_costs_one_try(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": OTHER}))["member"]["id"]
        code = await ask_code(house, member_id)
        fields = {
            "requestId": "same",
            "memberId": member_id,
            "credential": {"phone": PHONE},
            "verificationCode": wrong(code),
        }
        told = [
            await house.change("linkIdentity", fields, caller=member_caller(member_id))
            for _ in range(3)
        ]

        assert [each["attemptsLeft"] for each in told] == [4, 4, 4]
        assert (await link(house, member_id, code))["__typename"] == "IdentityLinked"


async def test_a_phone_that_another_member_proved_is_refused(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        ann = (await here.join({"phone": PHONE}))["member"]["id"]
        bob = (await here.join({"email": "bob@example.com"}))["member"]["id"]
        await link(house, ann, await ask_code(house, ann))

        refused = await link(house, bob, await ask_code(house, bob))

        assert refused["code"] == "IDENTITY_BELONGS_TO_ANOTHER"
        assert (await here.identify({"phone": PHONE}))["member"]["id"] == ann


async def test_what_a_member_merely_says_names_nobody_and_tells_nothing(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        ann = (await here.join({"phone": PHONE}))["member"]["id"]
        bob = (await here.join({"email": "bob@example.com"}))["member"]["id"]
        await link(house, ann, await ask_code(house, ann))

        known = await link(house, bob, None, PHONE)
        unknown = await link(house, bob, None, OTHER)

        assert known["__typename"] == unknown["__typename"] == "IdentityLinked"
        assert known["member"]["identities"][-1] == {"kind": "PHONE", "verified": False}
        assert (await here.identify({"phone": PHONE}))["member"]["id"] == ann
        assert await here.identify({"phone": OTHER}) is None


async def test_nobody_links_for_another_member(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        ann = (await here.join({"phone": PHONE}))["member"]["id"]
        bob = (await here.join({"phone": OTHER}))["member"]["id"]

        answer = await house.change(
            "linkIdentity",
            {"memberId": bob, "credential": {"email": "x@example.com"}},
            caller=member_caller(ann),
        )

        assert answer["code"] == "NOT_FOUND"


async def test_an_address_gets_five_codes_an_hour(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        for _ in range(CODES_PER_VALUE):
            sent = await house.change(
                "requestVerificationCode", {"credential": {"phone": PHONE}}, caller=here.till
            )
            assert sent["__typename"] == "VerificationCodeSent"
        asked = RequestCode("one-more", _stated(PHONE))
        with pytest.raises(RateLimited):
            await house.alliance.proving.request_code(here.till, asked)
        house.clock.set(house.clock.now() + timedelta(hours=1))

        assert (await house.alliance.proving.request_code(here.till, asked)).replayed is False


async def test_the_code_itself_is_kept_only_in_the_message(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": OTHER}))["member"]["id"]
        code = await ask_code(house, member_id)
        kept = await house.alliance.database.snapshot(
            lambda connection: connection.execute(select(VERIFICATION_CODE)).one()
        )
        house.clock.set(house.clock.now() + timedelta(minutes=6))
        await ask_code(house, member_id, OTHER)

        assert code not in repr(kept)
        assert await sent_to(house, PHONE) == []


async def test_codes_are_written_to_the_log_for_development_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for shows_codes in (False, True):
        caplog.clear()
        async with open_alliance(tmp_path / str(shows_codes), shows_codes=shows_codes) as house:
            here = await house.counter()
            member_id = (await here.join({"phone": OTHER}))["member"]["id"]
            with caplog.at_level(logging.WARNING):
                code = await ask_code(house, member_id)

            assert (code in caplog.text) is shows_codes


async def test_a_frozen_member_links_nothing(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join({"phone": PHONE}))["member"]["id"]
        code = await ask_code(house, member_id)
        await house.change(
            "freezeMember",
            {"memberId": member_id, "frozen": True, "reason": "reported"},
            caller=ADMIN,
        )

        assert (await link(house, member_id, code))["code"] == "MEMBER_FROZEN"


def _stated(phone: str) -> StatedCredential:
    return StatedCredential(IdentityKind.PHONE, phone)


async def strong(house: House, counter: Counter, phone: str) -> str:
    """Id of a new member that proved a phone number."""
    member_id = (await counter.join({"phone": phone}))["member"]["id"]
    assert (await link(house, member_id, await ask_code(house, member_id, phone), phone))["member"]
    return str(member_id)


async def test_two_members_that_one_person_proves_become_one(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        ann = await strong(house, here, PHONE)
        house.clock.set(house.clock.now() + timedelta(days=1))
        also_ann = await strong(house, there, OTHER)

        linked = await link(house, also_ann, await ask_code(house, also_ann))

        assert linked["member"]["id"] == ann
        assert {"kind": "PHONE", "verified": True} in linked["member"]["identities"]
        assert (await there.identify({"phone": OTHER}))["member"]["id"] == ann
        assert (await here.identify({"phone": OTHER}))["membership"]["merchantId"] == (
            here.merchant_id
        )


async def test_a_proof_merges_nobody_against_another_birthday(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        ids = []
        for number, day in enumerate(("1990-01-02", "1991-01-02")):
            phone = f"+861380000000{number}"
            joined = await here.join({"phone": phone}, profile={"birthday": day})
            ids.append(joined["member"]["id"])
            await link(house, ids[-1], await ask_code(house, ids[-1], phone), phone)
        taken = "+8613800000000"

        refused = await link(house, ids[1], await ask_code(house, ids[1], taken), taken)

        assert (refused["code"], refused["mergePossible"]) == ("IDENTITY_BELONGS_TO_ANOTHER", False)


async def test_a_proof_merges_nobody_that_is_frozen(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        ann, bob = await strong(house, here, PHONE), await strong(house, here, OTHER)
        await house.change(
            "freezeMember", {"memberId": ann, "frozen": True, "reason": "reported"}, caller=ADMIN
        )

        refused = await link(house, bob, await ask_code(house, bob))

        assert (refused["code"], refused["mergePossible"]) == ("IDENTITY_BELONGS_TO_ANOTHER", False)
