"""Properties in two sizes: a few examples in every run, very many in the long one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings


def sizes(check: Callable[..., None], *strategies: Any, few: int = 60, many: int = 4_000) -> Any:
    """Runs the property with few examples, and as a long run with many."""
    quick = settings(
        max_examples=few, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    thorough = settings(max_examples=many, deadline=None, suppress_health_check=list(HealthCheck))
    return pytest.mark.parametrize(
        "run",
        [
            pytest.param(quick(given(*strategies)(check)), id="few"),
            pytest.param(thorough(given(*strategies)(check)), id="many", marks=pytest.mark.soak),
        ],
    )
