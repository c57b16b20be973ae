"""What somebody who means harm tries through the API, and what it gets them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from gateway.membership.verification import TRIES_MAX
from tests.journeys.answers import word_of
from tests.journeys.town import OPERATIONS, Settled, cny, settle, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

GREETED = """query($credential: CredentialInput!, $storeId: ID!) {
  identify(credential: $credential, storeId: $storeId) { member { displayName } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Settled]:
    async with town_at(tmp_path_factory.mktemp("adversaries")) as town:
        yield await settle(town)


async def newcomer(people: Settled) -> tuple[str, str, str]:
    """Ids of a member of tea and of the card, and the phone."""
    phone = f"+8613700{int(people.town.request_id().removeprefix('request-')):06}"
    return *(await people.town.join(people.tea, people.tea_shop, phone=phone)), phone


async def shared_coupon(people: Settled, member_id: str, card_id: str) -> str:
    town, till = people.town, people.town.merchant(people.tea)
    template = await town.done(
        "CreateCouponTemplate",
        till,
        merchantId=people.tea,
        title="减5",
        kind="AMOUNT_OFF",
        amount=cny(500),
        minSpend=cny(1_000),
        shareable=True,
    )
    template_id = template["template"]["id"]
    issued = await town.done("IssueCoupons", till, templateId=template_id, cardIds=[card_id])
    shared = await town.done(
        "ShareCoupon", town.member(member_id), couponId=issued["coupons"][0]["id"]
    )
    return str(shared["shareCode"])


async def freeze(people: Settled, member_id: str, *, frozen: bool = True) -> None:
    await people.town.done(
        "FreezeMember", people.town.admin, memberId=member_id, frozen=frozen, reason="stolen phone"
    )


@pytest.mark.parametrize(
    "email",
    [
        "a\x00b@x.cn",
        "a@x\x00.cn",
        "a\x1b[0m@x.cn",
        "a\u202eb@x.cn",
        "a\u200bb@x.cn",
        "a\u00a0@x.cn",
    ],
    ids=["nul", "nul in domain", "escape", "turned", "invisible", "hard space"],
)
async def test_an_address_has_nothing_invisible(people: Settled, email: str) -> None:
    town, till, member = (
        people.town,
        people.town.merchant(people.tea),
        people.town.member(people.ann),
    )
    before = town.dump()
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("Join", till, {"storeId": people.tea_shop, "consents": []}),
        ("RequestVerificationCode", member, {}),
        ("LinkIdentity", member, {"memberId": people.ann}),
    ]
    for name, token, fields in asked:
        answer = await town.change(name, token, credential={"email": email}, **fields)
        assert answer["code"] == "INVALID_INPUT", name

    after = town.dump()
    assert [table for table in after if after[table] != before[table]] == ["alliance.db:request"]


async def test_a_till_grants_nothing_that_the_member_withdrew(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.tea)
    member_id, _, phone = await newcomer(people)
    member = town.member(member_id)
    consent = {"merchantId": people.tea, "purpose": "PROFILE"}

    async def is_greeted() -> bool:
        answer = await town.gateway.ask(
            GREETED, token=till, credential={"phone": phone}, storeId=people.tea_shop
        )
        return "errors" not in answer

    async def join_again() -> None:
        await town.done(
            "Join",
            till,
            storeId=people.tea_shop,
            credential={"phone": phone},
            consents=["PROFILE", "profile"],
        )

    await join_again()
    granted = await is_greeted()
    await town.done("SetConsent", member, **consent | {"purpose": "profile"}, granted=False)
    await join_again()
    withdrawn = await is_greeted()
    await town.done("SetConsent", member, **consent, granted=True)

    assert (granted, withdrawn, await is_greeted()) == (True, False, True)


async def test_who_stole_the_phone_of_a_frozen_member_takes_nothing_along(people: Settled) -> None:
    town = people.town
    member_id, card_id, _ = await newcomer(people)
    thief_id, _, _ = await newcomer(people)
    code = await shared_coupon(people, member_id, card_id)
    thief = {"shareCode": code, "storeId": people.tea_shop}
    await freeze(people, member_id)

    claimed = await town.change("ClaimCoupon", town.member(thief_id), **thief)
    erased = await town.change(
        "EraseMember", town.member(member_id), memberId=member_id, forfeit=True
    )
    replaced = await town.change(
        "ReplaceCard", town.member(member_id), cardId=card_id, reason="mine now"
    )
    await freeze(people, member_id, frozen=False)
    friend = await town.change("ClaimCoupon", town.member(thief_id), **thief)

    assert (claimed["code"], claimed["reason"]) == ("SHARE_NOT_CLAIMABLE", "HOLDER_FROZEN")
    assert (erased["code"], replaced["code"]) == ("MEMBER_FROZEN", "MEMBER_FROZEN")
    assert friend["__typename"] == "CouponClaimed"


async def test_the_token_of_an_erased_member_does_nothing(people: Settled) -> None:
    town = people.town
    member_id, card_id, _ = await newcomer(people)
    other_id, other_card, _ = await newcomer(people)
    code = await shared_coupon(people, other_id, other_card)
    token = town.member(member_id)
    await town.done("EraseMember", token, memberId=member_id, forfeit=True)
    tried: dict[str, dict[str, Any]] = {
        "ClaimCoupon": {"shareCode": code, "storeId": people.tea_shop},
        "LinkIdentity": {"memberId": member_id, "credential": {"phone": "+8613700999999"}},
        "ReplaceCard": {"cardId": card_id, "reason": "x"},
        "SetConsent": {"merchantId": people.tea, "purpose": "PROFILE", "granted": True},
        "EraseMember": {"memberId": member_id, "forfeit": True},
    }
    for name, fields in tried.items():
        answer = await town.change(name, token, **fields)
        assert answer["code"] == "NOT_FOUND", name
    me = await town.gateway.data("{ me { status card { id } } }", token=token)

    assert me == {"me": {"status": "ERASED", "card": None}}


async def test_a_filmed_code_serves_nobody_later_and_nobody_elsewhere(people: Settled) -> None:
    town = people.town
    member_id, _, _ = await newcomer(people)
    shown = await town.query("MyCard", town.member(member_id))
    token = shown["card"]["displayToken"]["token"]
    stores = {people.tea: people.tea_shop, people.books: people.books_shop}

    async def join(merchant_id: str) -> Any:
        return await town.change(
            "Join",
            town.merchant(merchant_id),
            storeId=stores[merchant_id],
            credential={"cardToken": token},
            consents=["PROFILE"],
        )

    answers = await asyncio.gather(join(people.tea), join(people.books))
    late = []
    for moved in (timedelta(seconds=59), timedelta(seconds=1)):
        town.gateway.clock.set(town.gateway.clock.now() + moved)
        found = await town.query(
            "Identify",
            town.merchant(people.tea),
            credential={"cardToken": token},
            storeId=people.tea_shop,
        )
        late.append(found is not None)

    assert Counter(answer.get("code") for answer in answers) == {
        None: 1,
        "VERIFICATION_FAILED": 1,
    }
    winner = people.tea if "replayed" in answers[0] else people.books
    assert late == [winner == people.tea, False]


@pytest.mark.parametrize("place", [0, 20, 26, 27, 38, -1])
async def test_a_changed_code_names_nobody(people: Settled, place: int) -> None:
    shown = await people.town.query("MyCard", people.town.member(people.ann))
    token = shown["card"]["displayToken"]["token"]
    changed = list(token)
    changed[place] = "7" if changed[place] != "7" else "8"

    found = await people.town.query(
        "Identify",
        people.town.merchant(people.tea),
        credential={"cardToken": "".join(changed)},
        storeId=people.tea_shop,
    )

    assert found is None


async def test_guesses_of_a_code_at_once_cost_as_many_tries_as_one_by_one(people: Settled) -> None:
    town = people.town
    member_id, _, _ = await newcomer(people)
    token, credential = town.member(member_id), {"phone": "+8613700888888"}
    await town.done("RequestVerificationCode", token, credential=credential)
    code = await town.opened.alliance.database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT body FROM outgoing_message WHERE recipient = '+8613700888888'"
        ).scalar_one()
    )
    wrong = [f"{number:06}" for number in range(40) if f"{number:06}" != code][:20]

    answers = await asyncio.gather(
        *(
            town.change(
                "LinkIdentity",
                token,
                memberId=member_id,
                credential=credential,
                verificationCode=guess,
            )
            for guess in wrong
        )
    )
    right = await town.change(
        "LinkIdentity", token, memberId=member_id, credential=credential, verificationCode=code
    )

    assert {answer["code"] for answer in [*answers, right]} == {"VERIFICATION_FAILED"}
    tries = await town.opened.alliance.database.snapshot(
        lambda connection: connection.exec_driver_sql(
            "SELECT MAX(tries) FROM verification_code"
        ).scalar_one()
    )
    assert tries == TRIES_MAX


async def test_asking_for_a_code_tells_nothing_of_who_is_known(people: Settled) -> None:
    town, till = people.town, people.town.merchant(people.books)
    answers = []
    for phone in ("+8613800000001", "+8613700777777"):  # Ann's, and nobody's.
        answer = await town.change("RequestVerificationCode", till, credential={"phone": phone})
        answers.append({**answer, "expiresAt": None})
        found = await town.query(
            "Identify", till, credential={"phone": phone}, storeId=people.books_shop
        )
        answers.append(found)

    assert answers[:2] == answers[2:]
    assert answers[1] is None


@pytest.mark.parametrize("field", ["card", "member"])
async def test_an_id_of_another_member_looks_like_an_unknown_one(
    people: Settled, field: str
) -> None:
    town, bob = people.town, people.town.member(people.bob)
    owned = {"card": people.ann_card, "member": people.ann}[field]
    unknown = owned[:-4] + ("0000" if owned[-4:] != "0000" else "1111")
    words = []
    for thing in (owned, unknown):
        asked: dict[str, dict[str, Any]] = (
            {"ReplaceCard": {"cardId": thing, "reason": "x"}}
            if field == "card"
            else {
                "LinkIdentity": {"memberId": thing, "credential": {"phone": "+8613700666666"}},
                "EraseMember": {"memberId": thing, "forfeit": True},
            }
        )
        for name, fields in asked.items():
            given = {"requestId": town.request_id(), **fields}
            answer = await town.gateway.ask(OPERATIONS[name], token=bob, input=given)
            words.append(word_of(answer))
        seen = await town.gateway.data(
            "query($id: ID!) { node(id: $id) { id } }", token=bob, id=thing
        )
        words.append(str(seen))

    half = len(words) // 2
    assert words[:half] == words[half:]
    assert "ok" not in words
