"""How the tests of joining name a person, and a join that may be refused."""

from __future__ import annotations

from typing import Any

from tests.gateway.alliances import Counter

PHONE = {"phone": "+86 138 0000 1234"}


async def try_join(here: Counter, request_id: str) -> tuple[Any, list[str]]:
    fields = {"storeId": here.store_id, "credential": PHONE, "consents": []}
    return await here.house.ask_with_errors(
        "mutation($input: JoinInput!) { join(input: $input) { __typename } }",
        {"input": {"requestId": request_id, **fields}},
        caller=here.till,
    )
