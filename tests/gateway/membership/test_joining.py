from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.membership.cards import is_card_number
from kernel.clock import SetClock
from tests.gateway.alliances import (
    ADMIN,
    START,
    Door,
    member_caller,
    open_alliance,
)
from tests.gateway.membership.joins import PHONE

REFERENCE = {"merchantReference": {"issuer": "old-scheme.example", "value": "M1001"}}
JOINED_VIA = (
    "{ me { displayName joinedVia { merchant { id } store { id } channel at } "
    "identities { kind verified masked issuer assertedBy { id } } "
    "consents { merchant { id } purpose granted since } } }"
)


async def test_a_newcomer_gets_a_member_a_card_a_membership_and_the_coupon(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        await house.offer_to_newcomers(here.merchant_id)
        joined = await here.join(PHONE)

        assert joined["__typename"] == "Joined"
        assert joined["replayed"] is False
        assert joined["alreadyMember"] is False
        assert joined["member"]["status"] == "ACTIVE"
        assert is_card_number(joined["member"]["card"]["number"])
        assert joined["membership"]["merchantId"] == here.merchant_id
        assert joined["firstOrderCoupon"]["merchantId"] == here.merchant_id
        alliance_id = house.alliance.directory.alliance.id
        assert [(join.merchant_id, join.is_new_member) for join in door.joins] == [
            (here.merchant_id, True),
            (alliance_id, True),
        ]
        assert door.joins[0].membership_id == joined["membership"]["id"]
        assert door.joins[1].membership_id is None


async def test_whoever_joined_before_is_told_so_and_gets_no_second_coupon(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        await house.offer_to_newcomers(here.merchant_id)
        first = await here.join(PHONE)
        again = await here.join({"phone": "+8613800001234"})

        assert again["alreadyMember"] is True
        assert again["membership"] == first["membership"]
        assert again["firstOrderCoupon"] is None
        assert len(door.joins) == 2


async def test_a_repeated_join_answers_as_the_first_did(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here = await house.counter()
        await house.offer_to_newcomers(here.merchant_id)
        first = await here.join(PHONE, requestId="r")
        again = await here.join(PHONE, requestId="r")
        other = await here.join(REFERENCE, requestId="r")

        assert again == {**first, "replayed": True}
        assert other["code"] == "REQUEST_ID_REUSED"
        assert len(door.joins) == 2


async def test_one_card_joins_every_merchant_by_its_number(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        here, there = await house.counter("A"), await house.counter("B")
        first = await here.join(PHONE)
        second = await there.join({"cardNumber": first["member"]["card"]["number"]})

        assert second["member"] == first["member"]
        assert second["alreadyMember"] is False
        assert second["membership"]["merchantId"] == there.merchant_id
        assert door.joins[-1].is_new_member is False


async def test_a_number_of_an_older_scheme_names_one_person_at_every_merchant(
    tmp_path: Path,
) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        first, second = await here.join(REFERENCE), await there.join(REFERENCE)
        other_issuer = await there.join(
            {"merchantReference": {"issuer": "till-7.example", "value": "M1001"}}
        )

        assert second["member"] == first["member"]
        assert other_issuer["member"] != first["member"]


@pytest.mark.parametrize("credential", [PHONE, {"email": "ada@example.com"}])
async def test_what_a_till_typed_in_names_nobody_at_another_merchant(
    tmp_path: Path, credential: dict[str, Any]
) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        first = await here.join(credential)

        assert (await here.identify(credential))["member"]["id"] == first["member"]["id"]
        assert await there.identify(credential) is None
        second = await there.join(credential)
        assert second["member"]["id"] != first["member"]["id"]
        assert (await here.identify(credential))["member"]["id"] == first["member"]["id"]


async def test_the_card_of_a_member_is_found_for_its_token(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member = (await here.join(PHONE))["member"]

        assert await house.alliance.member_card(member["id"]) == member["card"]["id"]
        assert await house.alliance.member_card("mem_nobody") is None


async def test_a_card_that_does_not_exist_joins_nobody(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        by_number = await here.join({"cardNumber": "4539148803436467"})
        by_token = await here.join({"cardToken": "nonsense"})

        assert by_number["code"] == "NOT_FOUND"
        assert by_token["code"] == "VERIFICATION_FAILED"


async def test_how_a_member_joined_is_kept_and_shown_to_the_member(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        joined = await here.join(
            PHONE,
            consents=["PROFILE", "MARKETING", "PROFILE"],
            profile={"displayName": "Ada", "birthday": "1990-12-10"},
            referralCode="FRIEND",
        )
        await there.join({"cardNumber": joined["member"]["card"]["number"]})
        data = await house.ask(JOINED_VIA, caller=member_caller(joined["member"]["id"]))

        at = "2026-03-01T09:30:00Z"
        assert data["me"] == {
            "displayName": "Ada",
            "joinedVia": {
                "merchant": {"id": here.merchant_id},
                "store": {"id": here.store_id},
                "channel": "STORE_POS",
                "at": at,
            },
            "identities": [
                {
                    "kind": "PHONE",
                    "verified": False,
                    "masked": "138****1234",
                    "issuer": None,
                    "assertedBy": {"id": here.merchant_id},
                }
            ],
            "consents": [
                {
                    "merchant": {"id": here.merchant_id},
                    "purpose": purpose,
                    "granted": True,
                    "since": at,
                }
                for purpose in ("MARKETING", "PROFILE")
            ],
        }


@pytest.mark.sqlite
async def test_a_phone_number_is_found_again_and_kept_nowhere_in_clear(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        await here.join(PHONE)

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("alliance.db*"))  # noqa: ASYNC240
    assert b"13800001234" not in kept
    assert b"138****1234" in kept


async def test_consents_given_later_are_added_and_none_is_doubled(tmp_path: Path) -> None:
    clock = SetClock(START)
    async with open_alliance(tmp_path, clock=clock) as house:
        here = await house.counter()
        joined = await here.join(PHONE, consents=["A"])
        await here.join(PHONE, consents=["A", "B"])
        data = await house.ask(
            "query($id: ID!) { node(id: $id) { ... on Member { consents { purpose } } } }",
            {"id": joined["member"]["id"]},
            caller=ADMIN,
        )

        assert data["node"]["consents"] == [{"purpose": "B"}, {"purpose": "A"}]
