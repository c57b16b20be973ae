"""Every "no" of the directory that is not shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kernel.refusals import Refusal, add_chinese


@dataclass(eq=False)
class ReferenceTaken(Refusal):
    """The reference belongs to another."""


@dataclass(eq=False)
class BackendUnfit(Refusal):
    """The backend does not serve the merchant schema.

    Attributes:
        problems: (schema coordinate, what is wrong) pairs, at least one.
    """

    problems: list[list[str]]
    retryable: ClassVar[bool] = True


add_chinese(
    {
        "BACKEND_UNFIT": "该后端不符合商家接口规范。",
        "REFERENCE_TAKEN": "该编号已被占用。",
    }
)
