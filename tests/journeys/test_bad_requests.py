"""Requests that are no operation of this API: the status, the code, and nothing done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.journeys.place import Place, furnish
from tests.journeys.requests import SENDERS, variables_of
from tests.journeys.town import OPERATIONS, town_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

ACCEPT = "application/graphql-response+json"
QUOTE = OPERATIONS["Quote"]
DEEP = "{ me " + "{ card { memberships { nodes " * 6 + "{ id " + "} } } " * 6 + "} }"
WIDE = "{ me { card { " + " ".join("points { available }" for _ in range(600)) + " } } }"
ALIASES = "{ " + " ".join(f"a{n}: allianceSettings {{ version }}" for n in range(51)) + " }"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with town_at(tmp_path_factory.mktemp("requests")) as town:
        yield await furnish(town)


async def _post(place: Place, content: bytes, caller: str = "tea", **headers: str) -> Any:
    return await place.town.gateway.client.post(
        "/graphql",
        content=content,
        headers={
            "content-type": "application/json",
            "accept": ACCEPT,
            "authorization": f"Bearer {place.token(caller)}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def _code(response: Any) -> str:
    [error, *_] = response.json()["errors"]
    assert error["message"]
    assert "Traceback" not in response.text
    return str(error["extensions"]["code"])


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "BAD_REQUEST"),
        (b"{", 400, "BAD_REQUEST"),
        (b"\xff\xfe", 400, "BAD_REQUEST"),
        (b"null", 400, "BAD_REQUEST"),
        (b'"{ me { id } }"', 400, "BAD_REQUEST"),
        (b'[{"query": "{ me { id } }"}]', 400, "BAD_REQUEST"),
        (b"{}", 400, "BAD_REQUEST"),
        (b'{"query": 1}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "query": "{ me { id } }"}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": []}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": {"x": NaN}}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": {"x": Infinity}}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": {"x": 1e400}}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": {"x": "\\ud800"}}', 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }"' + b" " * 1_100_000 + b"}", 413, "REQUEST_TOO_LARGE"),
        (b"[" * 100_000, 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id }"}', 400, "GRAPHQL_PARSE_FAILED"),
        (b'{"query": ""}', 400, "GRAPHQL_PARSE_FAILED"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
async def test_a_body_that_is_no_operation_is_refused(
    place: Place, content: bytes, status: int, code: str
) -> None:
    before = place.town.dump()

    response = await _post(place, content)

    assert (response.status_code, _code(response)) == (status, code)
    assert place.town.dump() == before


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ me { id secret } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ node(id: 1.5) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ node { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($id: ID!) { me { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { me { id } } query B { me { id } }", "OPERATION_NOT_FOUND"),
        ("subscription { me { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ backendOffers { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ _entities(representations: []) { __typename } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ _service { sdl } }", "GRAPHQL_VALIDATION_FAILED"),
        (DEEP, "OPERATION_TOO_DEEP"),
        (WIDE, "OPERATION_TOO_LARGE"),
        (ALIASES, "OPERATION_TOO_LARGE"),
        ("{ me { id } } #" + "x" * 200_001, "DOCUMENT_TOO_LARGE"),
        ("{ me " * 10_000, "GRAPHQL_PARSE_FAILED"),
    ],
    ids=lambda value: value[:50],
)
async def test_a_document_that_asks_the_impossible_is_refused(
    place: Place, document: str, code: str
) -> None:
    response = await _post(place, json.dumps({"query": document}).encode(), caller="ann")

    assert (response.status_code, _code(response)) == (400, code)


def _quote(place: Place, path: str, text: str) -> bytes:
    """A quote in which the JSON value at a path is the given text."""
    cart = place.cart()
    target: Any = cart
    *parents, last = path.split(".")
    for name in parents:
        target = target[int(name)] if name.isdigit() else target[name]
    target[last] = "@@"
    body = json.dumps({"query": QUOTE, "variables": {"cart": cart}})
    return body.replace('"@@"', text).encode()


@pytest.mark.parametrize(
    "text", ["1.5", "1.0", "1e2", "9007199254740992", "36893488147419103232", "true", '"1"']
)
@pytest.mark.parametrize("path", ["lines.0.unitPrice.amountMinor", "points"])
async def test_a_long_is_a_whole_json_number_within_its_bounds(
    place: Place, path: str, text: str
) -> None:
    response = await _post(place, _quote(place, path, text))

    assert (response.status_code, _code(response)) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    ("field", "path", "value"),
    [
        ("configureAlliance", "memberPointValue", "1/0"),
        ("configureAlliance", "memberPointValue", "0.5"),
        ("configureAlliance", "memberPointValue", "-1"),
        ("configureAlliance", "memberPointValue", 1),
        ("configureAlliance", "memberPointValue", "1/" + "9" * 5_000),
        ("setTierLadder", "effectiveFrom", "yesterday"),
        ("setTierLadder", "effectiveFrom", "2026-03-01T09:30:00"),
        ("setTierLadder", "effectiveFrom", 1_772_442_000),
        ("join", "profile", {"birthday": "2026-02-30"}),
        ("join", "profile", {"birthday": "01/02/2026"}),
    ],
)
async def test_a_scalar_that_cannot_be_read_is_bad_input(
    place: Place, field: str, path: str, value: Any
) -> None:
    given = await variables_of(place, field)
    given["input"][path] = value
    operation, caller = SENDERS[field]
    before = place.town.dump()

    answer = await place.town.gateway.ask(OPERATIONS[operation], token=place.token(caller), **given)

    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]
    assert "data" not in answer
    assert place.town.dump() == before


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lines.0.quantity", "1.5"),
        ("lines.0.unitPrice.amountMinor", "null"),
        ("lines.0.quantity", "2147483648"),
        ("lines.0.quantity", "true"),
        ("lines.0.quantity", '"1"'),
        ("lines.0.sku", "1"),
        ("lines.0.unitPrice.currency", '"XXX"'),
        ("lines.0.unitPrice.currency", "null"),
        ("lines.0.discount", "1"),
        ("lines", '"none"'),
        ("storeId", "null"),
        ("storeId", "1.5"),
        ("storeId", "{}"),
        ("chooseBest", '"yes"'),
        ("couponIds", "[null]"),
    ],
)
async def test_a_variable_of_the_wrong_type_is_bad_input(
    place: Place, path: str, text: str
) -> None:
    before = place.town.dump()

    response = await _post(place, _quote(place, path, text))

    assert (response.status_code, _code(response)) == (400, "BAD_USER_INPUT")
    assert place.town.dump() == before


@pytest.mark.parametrize(
    "credential",
    [{}, {"phone": "+8613800000001", "email": "a@b.example"}, {"phone": None}, {"name": "ann"}],
    ids=str,
)
@pytest.mark.parametrize("operation", ["Join", "Identify"])
async def test_a_credential_has_exactly_one_field(
    place: Place, operation: str, credential: dict[str, Any]
) -> None:
    given = await variables_of(place, "join" if operation == "Join" else "identify")
    given.get("input", given)["credential"] = credential
    before = place.town.dump()

    response = await _post(
        place, json.dumps({"query": OPERATIONS[operation], "variables": given}).encode()
    )

    assert (response.status_code, _code(response)) == (400, "BAD_USER_INPUT")
    assert place.town.dump() == before


async def test_a_credential_written_in_the_document_has_exactly_one_field_too(
    place: Place,
) -> None:
    document = '{ identify(credential: {phone: "1", email: "2"}, storeId: "x") { warnings } }'

    response = await _post(place, json.dumps({"query": document}).encode())

    assert (response.status_code, _code(response)) == (400, "GRAPHQL_VALIDATION_FAILED")


async def test_the_transport_says_what_it_takes(place: Place) -> None:
    client, body = place.town.gateway.client, json.dumps({"query": "{ me { id } }"}).encode()
    mutation = 'mutation { closePeriod(input: {requestId: "x", periodId: "x"}) { __typename } }'

    text = await _post(place, body, content_type="text/plain")
    packed = await _post(place, body, content_encoding="gzip")
    forged = await _post(place, body, authorization="Bearer e30.e30.e30")
    basic = await _post(place, body, authorization="Basic YTpi")
    image = await _post(place, body, accept="image/png")
    late = await _post(place, body, x_deadline_ms="soon")
    got = await client.get("/graphql", params={"query": mutation})
    put = await client.put("/graphql", content=body)

    assert [each.status_code for each in (text, packed, forged, basic, image, late, got, put)] == [
        415,
        415,
        401,
        401,
        406,
        400,
        405,
        405,
    ]
    assert {_code(each) for each in (forged, basic)} == {"UNAUTHENTICATED"}


async def test_older_clients_get_the_same_errors_with_status_200(place: Place) -> None:
    body = json.dumps({"query": "{ me { secret } }"}).encode()

    response = await _post(place, body, accept="application/json")

    assert (response.status_code, _code(response)) == (200, "GRAPHQL_VALIDATION_FAILED")
