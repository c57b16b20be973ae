from __future__ import annotations

from pathlib import Path

import pytest

from gateway.directory.refusals import BackendUnfit
from kernel.callers import Caller, CallerKind
from merchants.port import MerchantState
from merchants.registry_sql import read_state
from tests.gateway.alliances import (
    ADMIN,
    Door,
    House,
    merchant_caller,
    open_alliance,
)

pytestmark = pytest.mark.both_databases

MERCHANTS = """query($first: Int!, $after: String) { merchants(first: $first, after: $after) {
    nodes { id name } pageInfo { hasNextPage hasPreviousPage endCursor }
} }"""
MERCHANT = "query($id: ID!) { merchant(id: $id) { id name backend { kind } health { state } } }"
HOSTED = {"reference": "A1", "name": "Aldi", "backend": {"kind": "HOSTED"}}
REMOTE = {
    "reference": "R1",
    "name": "Far",
    "backend": {"kind": "REMOTE", "endpoint": "https://far.example/graphql"},
}


async def test_an_admitted_merchant_is_active_and_known_to_its_backend(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        answer = await house.change("admitMerchant", {**HOSTED, "nameEn": "Aldi UK"}, caller=ADMIN)

        merchant = answer["merchant"]
        assert merchant == {
            "id": merchant["id"],
            "name": "Aldi",
            "nameEn": "Aldi UK",
            "reference": "A1",
            "state": "ACTIVE",
            "backend": {"kind": "HOSTED", "endpoint": None},
        }
        assert await _state_at_backend(house, merchant["id"]) == MerchantState.ACTIVE


async def test_the_alliance_has_a_backend_of_its_own_and_is_not_listed(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        alliance_id = house.alliance.directory.alliance.id
        listed = await house.ask(MERCHANTS, {"first": 10}, caller=ADMIN)
        found = await house.ask(MERCHANT, {"id": alliance_id}, caller=ADMIN)

        assert await _state_at_backend(house, alliance_id) == MerchantState.ACTIVE
        assert listed["merchants"]["nodes"] == []
        assert found["merchant"]["name"] == "Alliance"


async def test_a_reference_names_one_merchant(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        await house.admit("A1")
        answer = await house.change("admitMerchant", HOSTED, caller=ADMIN)

        assert answer["code"] == "REFERENCE_TAKEN"
        assert answer["retryable"] is False


async def test_a_repeated_admission_makes_no_second_merchant(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        first = await house.change("admitMerchant", {**HOSTED, "requestId": "r"}, caller=ADMIN)
        again = await house.change("admitMerchant", {**HOSTED, "requestId": "r"}, caller=ADMIN)
        listed = await house.ask(MERCHANTS, {"first": 10}, caller=ADMIN)

        assert again == {**first, "replayed": True}
        assert len(listed["merchants"]["nodes"]) == 1


async def test_an_admission_that_was_cut_off_is_finished_on_the_next_start(tmp_path: Path) -> None:
    door = Door()
    async with open_alliance(tmp_path, door=door) as house:
        door.is_shut = True
        _, codes = await house.ask_with_errors(
            "mutation($input: AdmitMerchantInput!) { admitMerchant(input: $input) { __typename } }",
            {"input": {**HOSTED, "requestId": "r"}},
            caller=ADMIN,
        )
        assert codes == ["SUBGRAPH_UNAVAILABLE"]

    door.is_shut = False
    async with open_alliance(tmp_path, door=door) as house:
        listed = await house.ask("{ merchants(first: 5) { nodes { name state } } }", caller=ADMIN)
        again = await house.change("admitMerchant", {**HOSTED, "requestId": "r"}, caller=ADMIN)

        assert listed["merchants"]["nodes"] == [{"name": "Aldi", "state": "ACTIVE"}]
        assert again["replayed"] is True


async def test_merchants_are_paged_by_name(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        for index, name in enumerate(("Lidl", "Aldi", "Coop", "Aldi", "Boots")):
            await house.admit(str(index), name)

        names: list[str] = []
        after = None
        while True:
            data = await house.ask(MERCHANTS, {"first": 2, "after": after}, caller=ADMIN)
            page = data["merchants"]
            names += [node["name"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break

        assert names == ["Aldi", "Aldi", "Boots", "Coop", "Lidl"]


@pytest.mark.parametrize("first", [0, 101])
async def test_a_page_has_1_to_100_items(tmp_path: Path, first: int) -> None:
    async with open_alliance(tmp_path) as house:
        _, codes = await house.ask_with_errors(MERCHANTS, {"first": first}, caller=ADMIN)

        assert codes == ["BAD_USER_INPUT"]


async def test_a_remote_backend_that_does_not_fit_is_refused_and_may_be_tried_again(
    tmp_path: Path,
) -> None:
    faults = [["Membership.wallet", "is missing"]]

    async def check(endpoint: str) -> None:
        if faults:
            raise BackendUnfit(problems=list(faults))

    async with open_alliance(tmp_path, check_backend=check) as house:
        refused = await house.change("admitMerchant", {**REMOTE, "requestId": "r"}, caller=ADMIN)
        faults.clear()
        admitted = await house.change("admitMerchant", {**REMOTE, "requestId": "r"}, caller=ADMIN)

        assert refused["code"] == "BACKEND_UNFIT"
        assert refused["retryable"] is True
        assert refused["problems"] == [{"field": "Membership.wallet", "message": "is missing"}]
        assert admitted["merchant"]["backend"] == REMOTE["backend"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 65}, "reference"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"nameEn": ""}, "nameEn"),
        ({"backend": {"kind": "REMOTE"}}, "backend.endpoint"),
        ({"backend": {"kind": "REMOTE", "endpoint": "ftp://x"}}, "backend.endpoint"),
        ({"backend": {"kind": "HOSTED", "endpoint": "https://x"}}, "backend.endpoint"),
    ],
)
async def test_an_admission_beyond_its_limits_is_refused(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    async with open_alliance(tmp_path) as house:
        answer = await house.change("admitMerchant", {**HOSTED, **change}, caller=ADMIN)

        assert [problem["field"] for problem in answer["problems"]] == [field]


async def test_a_store_is_open_and_its_reference_is_its_merchants_own(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        aldi, lidl = await house.admit("A", "Aldi"), await house.admit("L", "Lidl")
        store = {"reference": "1", "name": "High Street", "channel": "STORE_POS"}
        opened = await house.change("openStore", {**store, "merchantId": aldi}, caller=ADMIN)
        twice = await house.change("openStore", {**store, "merchantId": aldi}, caller=ADMIN)
        elsewhere = await house.change("openStore", {**store, "merchantId": lidl}, caller=ADMIN)

        assert opened["store"] == {
            "id": opened["store"]["id"],
            **store,
            "state": "OPEN",
            "merchant": {"id": aldi},
        }
        assert twice["code"] == "REFERENCE_TAKEN"
        assert elsewhere["__typename"] == "StoreOpened"


async def test_a_merchant_and_its_stores_outlive_a_restart(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        merchant_id = await house.admit("A", "Aldi")
        for reference in ("2", "1"):
            await house.open_store(merchant_id, reference)

    async with open_alliance(tmp_path) as house:
        data = await house.ask(
            "query($id: ID!) { merchant(id: $id) { stores(first: 5) { nodes { reference } } } }",
            {"id": merchant_id},
            caller=merchant_caller(merchant_id),
        )

        assert data["merchant"]["stores"]["nodes"] == [{"reference": "1"}, {"reference": "2"}]


async def test_a_store_of_an_unknown_merchant_or_the_alliance_is_refused(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        fields = {"reference": "1", "name": "N", "channel": "APP"}
        for merchant_id in ("mer_nobody", house.alliance.directory.alliance.id):
            answer = await house.change(
                "openStore", {**fields, "merchantId": merchant_id}, caller=ADMIN
            )
            assert answer["code"] == "NOT_FOUND"


async def test_where_a_backend_lives_is_told_to_its_merchant_and_admins(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        aldi, lidl = await house.admit("A"), await house.admit("L")
        own = await house.ask(MERCHANT, {"id": aldi}, caller=merchant_caller(aldi))
        other, codes = await house.ask_with_errors(
            MERCHANT, {"id": aldi}, caller=merchant_caller(lidl)
        )

        assert own["merchant"]["backend"] == {"kind": "HOSTED"}
        assert own["merchant"]["health"] == {"state": "UP"}
        assert other["merchant"] == {
            "id": aldi,
            "name": "Merchant",
            "backend": None,
            "health": None,
        }
        assert codes == ["FORBIDDEN", "FORBIDDEN"]


async def test_only_admins_admit_list_and_open(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        aldi = await house.admit("A")
        for document in (
            'mutation { admitMerchant(input: {requestId: "1", reference: "x", name: "y", '
            "backend: {kind: HOSTED}}) { __typename } }",
            f'mutation {{ openStore(input: {{requestId: "1", merchantId: "{aldi}", '
            'reference: "x", name: "y", channel: APP}) { __typename } }',
            "{ merchants { nodes { id } } }",
        ):
            for caller in (merchant_caller(aldi), Caller(CallerKind.MEMBER, "mem_x")):
                _, codes = await house.ask_with_errors(document, caller=caller)
                assert codes == ["FORBIDDEN"]


async def test_merchants_and_stores_are_entities(tmp_path: Path) -> None:
    async with open_alliance(tmp_path) as house:
        merchant_id = await house.admit("A", "Aldi")
        store_id = await house.open_store(merchant_id)
        data = await house.ask(
            "query($of: [_Any!]!) { _entities(representations: $of) "
            "{ ... on Merchant { name } ... on Store { reference merchant { id } } } }",
            {
                "of": [
                    {"__typename": "Store", "id": store_id},
                    {"__typename": "Merchant", "id": merchant_id},
                    {"__typename": "Merchant", "id": "mer_nobody"},
                ]
            },
            caller=ADMIN,
        )

        assert data["_entities"] == [
            {"reference": "S1", "merchant": {"id": merchant_id}},
            {"name": "Aldi"},
            None,
        ]


async def _state_at_backend(house: House, merchant_id: str) -> str | None:
    return await house.door.hosted.database.snapshot(
        lambda connection: read_state(connection, merchant_id)
    )
