from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.http.running import serving

ASKING = {"x-query-plan": "true"}


async def test_in_development_a_request_may_ask_for_its_plan(tmp_path: Path) -> None:
    async with serving(tmp_path, tells_plans=True) as server:
        answer = await server.post("{ greeting }", headers=ASKING)

    assert answer.json() == {
        "data": {"greeting": "Hello you"},
        "extensions": {"queryPlan": "Fetch greetings\n  {greeting}"},
    }


@pytest.mark.parametrize(
    ("tells_plans", "headers"), [(True, {}), (True, {"x-query-plan": "0"}), (False, ASKING)]
)
async def test_a_plan_is_told_to_nobody_else(
    tmp_path: Path, tells_plans: bool, headers: dict[str, str]
) -> None:
    async with serving(tmp_path, tells_plans=tells_plans) as server:
        answer = await server.post("{ greeting }", headers=headers)

    assert answer.json() == {"data": {"greeting": "Hello you"}}
