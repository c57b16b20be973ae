from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.federation.executor import Gathering, compile_node
from gateway.federation.plan import (
    Each,
    EntityInput,
    Fetch,
    Key,
    Node,
    Parallel,
    RepresentationField,
    RepresentationShape,
    Sequence,
)
from gateway.federation.transport import (
    CallContext,
    SubgraphReply,
    SubgraphRequest,
    TransportFailed,
)
from tests.federation.scripted import ScriptedTransport

USERS = Fetch("accounts", "query", "{ users { __typename id } }")
KEY = RepresentationShape(
    frozenset({"User"}), None, (RepresentationField("id", "id"),), frozenset({"id"})
)
REVIEWS = Fetch(
    "reviews",
    "query",
    "query($r0: [_Any!]!) { _e0: _entities(representations: $r0) { ... on User { stars } } }",
    inputs=(EntityInput("_e0", "r0", (Key("users"), Each()), (KEY,)),),
)
BOTH = Sequence((USERS, REVIEWS))


def two_users() -> dict[str, Any]:
    return {"users": [{"__typename": "User", "id": "1"}, {"__typename": "User", "id": "2"}]}


def three_users_two_alike() -> dict[str, Any]:
    return {"users": [{"__typename": "User", "id": id} for id in ("1", "2", "1")]}


async def gathered(
    node: Node,
    transports: dict[str, Any],
    variables: dict[str, Any] | None = None,
    context: CallContext | None = None,
) -> Gathering:
    gathering = Gathering(transports, variables or {}, context or CallContext())
    await compile_node(node)(gathering)
    return gathering


async def test_entities_are_written_into_every_object_they_were_asked_for() -> None:
    reviews = ScriptedTransport({"_e0": [{"stars": 5}, {"stars": 3}]})
    accounts = ScriptedTransport(three_users_two_alike())

    done = await gathered(BOTH, {"accounts": accounts, "reviews": reviews})

    assert [user["stars"] for user in done.data["users"]] == [5, 3, 5]
    assert [r["id"] for r in reviews.requests[0].variables["r0"]] == ["1", "2"]
    assert done.faults == []


async def test_nothing_is_asked_when_there_is_nothing_to_ask_for() -> None:
    reviews = ScriptedTransport()

    done = await gathered(BOTH, {"accounts": ScriptedTransport({"users": []}), "reviews": reviews})

    assert reviews.requests == []
    assert done.faults == []


async def test_only_named_variables_that_the_client_gave_are_passed_on() -> None:
    fetch = Fetch("accounts", "query", "{ users { id } }", variables=("first", "absent"))
    accounts = ScriptedTransport({"users": []})

    await gathered(fetch, {"accounts": accounts}, {"first": 3, "other": 4})

    assert accounts.requests[0].variables == {"first": 3}
    assert accounts.requests[0].document is fetch.document


async def test_parallel_fetches_run_at_the_same_time_and_merge() -> None:
    both_under_way = asyncio.Barrier(2)

    def answering(data: dict[str, Any]) -> ScriptedTransport:
        async def answer(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
            await both_under_way.wait()
            return SubgraphReply(data)

        return ScriptedTransport(answer=answer)

    node = Parallel((Fetch("a", "query", "{ me { x } }"), Fetch("b", "query", "{ me { y } }")))
    transports = {"a": answering({"me": {"x": 1}}), "b": answering({"me": {"y": 2}})}

    done = await asyncio.wait_for(gathered(node, transports), 5)

    assert done.data == {"me": {"x": 1, "y": 2}}


async def test_an_error_gets_the_path_of_every_object_its_entity_went_to() -> None:
    error = {
        "message": "no stars",
        "path": ["_e0", 0, "stars"],
        "extensions": {"code": "STARS_GONE", "merchantId": "m1", "stacktrace": "x", "deep": {}},
    }
    reviews = ScriptedTransport({"_e0": [{"stars": None}, {"stars": 3}]}, errors=[error])
    accounts = ScriptedTransport(three_users_two_alike())

    done = await gathered(BOTH, {"accounts": accounts, "reviews": reviews})

    assert [fault.path for fault in done.faults] == [("users", 0, "stars"), ("users", 2, "stars")]
    assert {fault.code for fault in done.faults} == {"STARS_GONE"}
    assert done.faults[0].extensions == {"subgraph": "reviews", "merchantId": "m1"}
    assert done.data["users"][1]["stars"] == 3


async def test_paths_of_errors_carry_the_keys_that_the_client_chose() -> None:
    users = Fetch("accounts", "query", "{ _a0: users { id } }", response_names=(("_a0", "people"),))
    entities = EntityInput("_e0", "r0", (Key("_a0"), Each()), (KEY,))
    reviews = Fetch(
        "reviews", "query", REVIEWS.document, inputs=(entities,), response_names=(("_b", "rank"),)
    )
    error = {"message": "late", "path": ["_e0", 1, "_b"]}
    transports = {
        "accounts": ScriptedTransport({"_a0": two_users()["users"]}),
        "reviews": ScriptedTransport({"_e0": [{}, {}]}, errors=[error]),
    }

    done = await gathered(Sequence((users, reviews)), transports)

    assert [fault.path for fault in done.faults] == [("people", 1, "rank")]
    assert done.faults[0].code == "SUBGRAPH_ERROR"


async def test_a_failed_fetch_costs_only_its_own_objects() -> None:
    failure = TransportFailed("down", code="SUBGRAPH_UNAVAILABLE", extensions={"merchantId": "m"})
    transports = {
        "accounts": ScriptedTransport(two_users()),
        "reviews": ScriptedTransport(failure=failure),
    }

    done = await gathered(BOTH, transports)

    assert done.data == two_users()
    assert [fault.path for fault in done.faults] == [("users", 0), ("users", 1)]
    assert done.faults[0].as_json()["extensions"] == {
        "code": "SUBGRAPH_UNAVAILABLE",
        "subgraph": "reviews",
        "merchantId": "m",
    }


async def test_a_failed_fetch_of_root_fields_names_each_of_them() -> None:
    fetch = Fetch("accounts", "query", "{ me: user { id } _a0: top { id } }")
    fetch = Fetch("accounts", "query", fetch.document, response_names=(("_a0", "best"),))

    done = await gathered(fetch, {})

    assert [fault.path for fault in done.faults] == [("me",), ("best",)]
    assert {fault.code for fault in done.faults} == {"SUBGRAPH_UNAVAILABLE"}


async def test_a_failed_fetch_for_many_objects_reports_only_some() -> None:
    many = {"users": [{"__typename": "User", "id": str(n)} for n in range(500)]}
    failure = TransportFailed("down", code="SUBGRAPH_UNAVAILABLE")
    transports = {
        "accounts": ScriptedTransport(many),
        "reviews": ScriptedTransport(failure=failure),
    }

    done = await gathered(BOTH, transports)

    assert len(done.faults) == 20


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "text",
        {},
        {"_e0": None},
        {"_e0": {}},
        {"_e0": [{"stars": 1}]},
        {"_e0": [{"stars": 1}] * 3},
    ],
)
async def test_a_reply_of_another_shape_is_a_fault_of_the_objects_asked_for(data: Any) -> None:
    transports = {"accounts": ScriptedTransport(two_users()), "reviews": ScriptedTransport(data)}

    done = await gathered(BOTH, transports)

    assert {fault.code for fault in done.faults} == {"SUBGRAPH_MALFORMED_REPLY"}
    assert [fault.path for fault in done.faults] == [("users", 0), ("users", 1)]
    assert done.data == two_users()


async def test_an_entity_that_is_no_object_costs_only_its_own_place() -> None:
    reviews = ScriptedTransport({"_e0": [7, {"stars": 3}]})

    done = await gathered(BOTH, {"accounts": ScriptedTransport(two_users()), "reviews": reviews})

    assert [fault.path for fault in done.faults] == [("users", 0)]
    assert done.data["users"][1]["stars"] == 3


async def test_a_null_entity_is_no_fault() -> None:
    reviews = ScriptedTransport({"_e0": [None, {"stars": 3}]})

    done = await gathered(BOTH, {"accounts": ScriptedTransport(two_users()), "reviews": reviews})

    assert done.faults == []


@pytest.mark.parametrize("data", [None, [], "text", 5])
async def test_a_root_reply_without_data_is_a_fault_of_its_fields(data: Any) -> None:
    done = await gathered(USERS, {"accounts": ScriptedTransport(data)})

    assert [(fault.code, fault.path) for fault in done.faults] == [
        ("SUBGRAPH_MALFORMED_REPLY", ("users",))
    ]


@pytest.mark.parametrize(
    "errors",
    [
        [None],
        ["text"],
        [{}],
        [{"message": 3, "path": "users", "extensions": []}],
        [{"message": "m", "path": [{}], "extensions": {"code": 5}}],
        [{"message": "m", "path": ["_e0", 99]}],
        [{"message": "m", "path": ["_e0", -1]}],
        [{"message": "m", "path": ["_e0"]}],
        [{"message": "m", "path": ["_other", 0]}],
    ],
)
async def test_errors_of_any_shape_become_faults(errors: list[Any]) -> None:
    reviews = ScriptedTransport({"_e0": [{"stars": 1}, {"stars": 2}]}, errors=errors)

    done = await gathered(BOTH, {"accounts": ScriptedTransport(two_users()), "reviews": reviews})

    assert done.faults
    assert {fault.code for fault in done.faults} == {"SUBGRAPH_ERROR"}
    assert [user["stars"] for user in done.data["users"]] == [1, 2]


async def test_errors_that_are_no_list_are_passed_over() -> None:
    done = await gathered(USERS, {"accounts": ScriptedTransport({"users": []}, errors={"a": 1})})

    assert done.faults == []


async def test_an_error_without_path_and_data_counts_for_every_object_asked_for() -> None:
    reviews = ScriptedTransport(None, errors=[{"message": "bad query"}])

    done = await gathered(BOTH, {"accounts": ScriptedTransport(two_users()), "reviews": reviews})

    assert [fault.path for fault in done.faults] == [("users", 0), ("users", 1)]


async def test_data_nested_without_end_is_a_fault() -> None:
    def deep() -> dict[str, Any]:
        nested: dict[str, Any] = {}
        for _ in range(50_000):
            nested = {"x": nested}
        return {"users": nested}

    node = Sequence((USERS, USERS))
    accounts = ScriptedTransport(answer=lambda request, context: deep())

    done = await gathered(node, {"accounts": accounts})

    assert [fault.code for fault in done.faults] == ["SUBGRAPH_MALFORMED_REPLY"]


async def test_a_subgraph_that_hangs_is_left_at_the_deadline() -> None:
    was_cancelled = asyncio.Event()

    async def hang(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        try:
            await asyncio.Event().wait()
        finally:
            was_cancelled.set()
        raise AssertionError

    node = Parallel((USERS, Fetch("quick", "query", "{ now }")))
    transports = {
        "accounts": ScriptedTransport(answer=hang),
        "quick": ScriptedTransport({"now": 1}),
    }
    context = CallContext(deadline=asyncio.get_running_loop().time() + 0.05)

    done = await gathered(node, transports, context=context)

    assert was_cancelled.is_set()
    assert done.data == {"now": 1}
    assert [(f.code, f.path) for f in done.faults] == [("SUBGRAPH_TIMEOUT", ("users",))]


async def test_nothing_is_started_after_the_deadline() -> None:
    accounts = ScriptedTransport(two_users())
    context = CallContext(deadline=asyncio.get_running_loop().time() - 1)

    done = await gathered(USERS, {"accounts": accounts}, context=context)

    assert accounts.requests == []
    assert [fault.code for fault in done.faults] == ["SUBGRAPH_TIMEOUT"]


async def test_cancelling_the_request_cancels_every_call() -> None:
    started, cancelled = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def hang(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        started.release()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.release()
        raise AssertionError

    node = Parallel((USERS, Fetch("quick", "query", "{ now }")))
    hanging = ScriptedTransport(answer=hang)
    task = asyncio.create_task(gathered(node, {"accounts": hanging, "quick": hanging}))
    await started.acquire()
    await started.acquire()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(cancelled.acquire(), 5)
    await asyncio.wait_for(cancelled.acquire(), 5)


async def test_a_bug_of_a_transport_is_masked_and_costs_its_own_fields(
    caplog: pytest.LogCaptureFixture,
) -> None:
    node = Parallel((USERS, Fetch("quick", "query", "{ now }")))
    transports = {
        "accounts": ScriptedTransport(failure=ZeroDivisionError("secret")),
        "quick": ScriptedTransport({"now": 1}),
    }

    done = await gathered(node, transports, context=CallContext(request_id="r-17"))

    assert done.data == {"now": 1}
    assert [(f.code, f.message, f.path) for f in done.faults] == [
        ("INTERNAL", "Internal error.", ("users",))
    ]
    assert "r-17" in caplog.text


async def test_a_failed_mutation_does_not_stop_the_next_one_and_order_is_kept() -> None:
    order: list[str] = []

    def noting(name: str, failure: Exception | None = None) -> ScriptedTransport:
        async def answer(request: SubgraphRequest, context: CallContext) -> SubgraphReply:
            order.append(f"{name} begins")
            await asyncio.tasks.sleep(0)
            order.append(f"{name} ends")
            if failure:
                raise failure
            return SubgraphReply({name: 1})

        return ScriptedTransport(answer=answer)

    node = Sequence(
        (Fetch("a", "mutation", "mutation { a }"), Fetch("b", "mutation", "mutation { b }"))
    )
    failure = TransportFailed("down", code="SUBGRAPH_UNAVAILABLE")

    done = await gathered(node, {"a": noting("a", failure), "b": noting("b")})

    assert order == ["a begins", "a ends", "b begins", "b ends"]
    assert done.data == {"b": 1}
    assert [fault.path for fault in done.faults] == [("a",)]


async def test_a_failed_fetch_whose_fields_can_not_be_told_is_still_a_fault() -> None:
    fetch = Fetch("accounts", "query", "{ ...F } fragment F on Query { me { id } }")

    done = await gathered(fetch, {})

    assert [(fault.code, fault.path) for fault in done.faults] == [("SUBGRAPH_UNAVAILABLE", None)]
