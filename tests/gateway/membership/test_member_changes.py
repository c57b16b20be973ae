from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.membership.tables import CONSENT, STATUS_CHANGE
from tests.gateway.alliances import (
    ADMIN,
    IDENTIFY,
    Counter,
    House,
    member_caller,
    open_alliance,
)

PHONE = {"phone": "+8613800001234"}
NAME = "query($id: ID!) { node(id: $id) { ... on Member { displayName } } }"


async def consent(house: House, member_id: str, counter: Counter, *, granted: bool) -> Any:
    return await house.change(
        "setConsent",
        {"merchantId": counter.merchant_id, "purpose": "PROFILE", "granted": granted},
        caller=member_caller(member_id),
    )


async def replace(house: House, card_id: str, member_id: str) -> Any:
    return await house.change(
        "replaceCard", {"cardId": card_id, "reason": "lost"}, caller=member_caller(member_id)
    )


async def freeze(house: House, member_id: str, *, frozen: bool = True) -> Any:
    return await house.change(
        "freezeMember",
        {"memberId": member_id, "frozen": frozen, "reason": "reported"},
        caller=ADMIN,
    )


async def test_a_field_opens_and_closes_with_the_members_consent(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        joined = await here.join(PHONE, profile={"displayName": "Ada"})
        member = joined["member"]
        await there.join({"cardNumber": member["card"]["number"]})
        audiences = {
            "member": member_caller(member["id"]),
            "admin": ADMIN,
            "here": here.till,
            "there": there.till,
        }

        async def seen() -> dict[str, Any]:
            told = {}
            for audience, caller in audiences.items():
                data, codes = await house.ask_with_errors(NAME, {"id": member["id"]}, caller=caller)
                told[audience] = (data["node"]["displayName"], codes)
            return told

        open_to = ("Ada", [])
        closed = (None, ["CONSENT_REQUIRED"])
        own = {"member": open_to, "admin": open_to}
        assert await seen() == {**own, "here": closed, "there": closed}
        await consent(house, member["id"], here, granted=True)
        assert await seen() == {**own, "here": open_to, "there": closed}
        await consent(house, member["id"], here, granted=False)
        assert await seen() == {**own, "here": closed, "there": closed}


async def test_a_member_without_a_name_looks_like_one_that_did_not_consent(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member = (await here.join(PHONE))["member"]

        data, codes = await house.ask_with_errors(NAME, {"id": member["id"]}, caller=here.till)

        assert (data["node"], codes) == ({"displayName": None}, ["CONSENT_REQUIRED"])


async def test_what_was_said_of_consent_is_kept_and_the_last_word_told(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member_id = (await here.join(PHONE))["member"]["id"]
        for granted in (True, True, False, True):
            answer = await consent(house, member_id, here, granted=granted)
        rows = await house.alliance.database.snapshot(
            lambda connection: list(
                connection.execute(select(CONSENT.c.granted).order_by(CONSENT.c.id)).scalars()
            )
        )

        assert answer["consents"] == [
            {"merchant": {"id": here.merchant_id}, "purpose": "PROFILE", "granted": True}
        ]
        assert rows == [True, False, True]


async def test_a_replaced_card_keeps_its_id_and_its_old_number_is_refused(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member = (await here.join(PHONE))["member"]
        card = member["card"]

        replaced = (await replace(house, card["id"], member["id"]))["card"]

        assert replaced["id"] == card["id"]
        assert replaced["status"] == "ACTIVE"
        assert replaced["number"] != card["number"]
        new = await here.identify({"cardNumber": replaced["number"]})
        assert new["member"]["id"] == member["id"]
        found, codes = await house.ask_with_errors(
            IDENTIFY,
            {"credential": {"cardNumber": card["number"]}, "storeId": here.store_id},
            caller=here.till,
        )
        assert (found, codes) == ({"identify": None}, ["CARD_NUMBER_REPLACED"])
        assert (await here.join({"cardNumber": card["number"]}))["code"] == "CARD_NUMBER_REPLACED"


async def test_a_replaced_card_stops_the_tokens_shown_before(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member = (await here.join(PHONE))["member"]
        token = await _token(house, member)
        assert (await here.identify({"cardToken": token}))["member"]["id"] == member["id"]

        await replace(house, member["card"]["id"], member["id"])

        assert await here.identify({"cardToken": token}) is None
        assert (await here.join({"cardToken": token}))["code"] == "VERIFICATION_FAILED"


async def test_a_token_that_somebody_joined_with_serves_no_other_merchant(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        third = await house.counter("C")
        member = (await here.join(PHONE))["member"]
        token = await _token(house, member)

        joined = await there.join({"cardToken": token})

        assert joined["member"]["id"] == member["id"]
        assert (await there.identify({"cardToken": token}))["member"]["id"] == member["id"]
        assert await third.identify({"cardToken": token}) is None
        assert (await third.join({"cardToken": token}))["code"] == "VERIFICATION_FAILED"


async def test_only_the_member_and_admins_replace_a_card(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here = await house.counter()
        member = (await here.join(PHONE))["member"]
        other = (await here.join({"phone": "+8613900005678"}))["member"]

        refused = await replace(house, member["card"]["id"], other["id"])
        admins = await house.change(
            "replaceCard", {"cardId": member["card"]["id"], "reason": "lost"}, caller=ADMIN
        )

        assert refused["code"] == "NOT_FOUND"
        assert admins["card"]["number"] != member["card"]["number"]


async def test_a_frozen_member_joins_nowhere_and_keeps_their_number(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        member = (await here.join(PHONE))["member"]
        frozen = await freeze(house, member["id"])

        number = member["card"]["number"]
        assert frozen["member"]["status"] == "FROZEN"
        assert (await there.join({"cardNumber": number}))["code"] == "MEMBER_FROZEN"
        assert (await replace(house, member["card"]["id"], member["id"]))["code"] == "MEMBER_FROZEN"
        assert (await here.identify(PHONE))["warnings"] == ["MEMBER_FROZEN", "IDENTITY_UNVERIFIED"]


async def test_an_unfrozen_member_joins_again_and_the_reasons_are_kept(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        here, there = await house.counter("A"), await house.counter("B")
        member = (await here.join(PHONE))["member"]
        for frozen in (True, True, False):
            answer = await freeze(house, member["id"], frozen=frozen)
        kept = await house.alliance.database.snapshot(
            lambda connection: sorted(
                connection.execute(
                    select(
                        STATUS_CHANGE.c.status, STATUS_CHANGE.c.reason, STATUS_CHANGE.c.changed_by
                    )
                )
            )
        )

        assert answer["member"]["status"] == "ACTIVE"
        assert "member" in await there.join({"cardNumber": member["card"]["number"]})
        assert [tuple(row) for row in kept] == [
            ("ACTIVE", "reported", "admin:ada"),
            ("FROZEN", "reported", "admin:ada"),
        ]


async def _token(house: House, member: dict[str, Any]) -> str:
    data = await house.ask(
        "{ me { card { displayToken { token } } } }", caller=member_caller(member["id"])
    )
    token: str = data["me"]["card"]["displayToken"]["token"]
    return token
