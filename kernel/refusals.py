"""The base of every expected "no", and those that every part of the system gives."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
ID_SHOWN_MAX = 128
"""Characters of an id that a sentence repeats."""

_registry: dict[str, type[Refusal]] = {}
_chinese: dict[str, str] = {}


@dataclass(eq=False)
class Refusal(Exception):
    """An expected "no". Subclasses are dataclasses whose fields are JSON values.

    Raising one inside a transaction rolls that transaction back.

    Attributes:
        retryable: whether the same request may later be answered otherwise; only then is the
            refusal not kept under its request id.
    """

    retryable: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What is kept under a request id is found again by its name alone.
        known = _registry.get(cls.__name__)
        assert known is None or known.__module__ == cls.__module__, cls.__name__
        _registry[cls.__name__] = cls

    @property
    def code(self) -> str:
        """The class name in capitals: `QuoteStale` is QUOTE_STALE."""
        return code_of(type(self).__name__)

    @property
    def message(self) -> str:
        """One sentence for people."""
        return (type(self).__doc__ or self.code).strip().splitlines()[0]

    def message_in(self, language: str) -> str:
        """The sentence in Chinese for `zh`, where one was given; in English otherwise."""
        return _chinese.get(self.code, self.message) if language == "zh" else self.message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """The refusal as it is kept under its request id."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {"refusal": type(self).__name__, **fields}


def refusal_from_json(stored: dict[str, Any]) -> Refusal:
    """The refusal that `as_json` stored."""
    fields = {name: value for name, value in stored.items() if name != "refusal"}
    return _registry[stored["refusal"]](**fields)


def add_chinese(sentences: Mapping[str, str]) -> None:
    """Gives refusals their Chinese sentences, by code."""
    _chinese.update(sentences)


def code_of(class_name: str) -> str:
    """QUOTE_STALE for `QuoteStale` and for `QuoteStaleRefusal`."""
    return _WORD.sub("_", class_name.removesuffix("Refusal")).upper()


@dataclass(eq=False)
class InvalidInput(Refusal):
    """The input is well-formed and still wrong.

    Attributes:
        problems: (path within the input, what is wrong and what would be right) pairs, at
            least one, in input order.
    """

    problems: list[list[str]]

    @classmethod
    def at(cls, field: str, message: str) -> InvalidInput:
        """The refusal of one fault."""
        return cls(problems=[[field, message]])

    @property
    def message(self) -> str:
        """The first fault, and how many more there are."""
        field, fault = self.problems[0]
        more = len(self.problems) - 1
        return f"{field}: {fault}" + (f" (and {more} more)" if more else "")

    def message_in(self, language: str) -> str:
        """As `message`; in Chinese it names the first field alone."""
        if language != "zh":
            return self.message
        more = len(self.problems) - 1
        return f"输入有误：{self.problems[0][0]}" + (f"（另有 {more} 处）。" if more else "。")


@dataclass(eq=False)
class NotFound(Refusal):
    """The id names nothing that you may see."""

    id: str
    retryable: ClassVar[bool] = True

    @property
    def message(self) -> str:
        """Names the id: an input often holds several."""
        return f"The id {self.id[:ID_SHOWN_MAX]!r} names nothing that you may see."

    def message_in(self, language: str) -> str:
        """As `message`."""
        if language != "zh":
            return self.message
        return f"未找到编号“{self.id[:ID_SHOWN_MAX]}”，或您无权查看。"


@dataclass(eq=False)
class RequestIdReused(Refusal):
    """This requestId was used before with a different input."""


@dataclass(eq=False)
class RequestInProgress(Refusal):
    """The first request with this requestId has not been answered yet; repeat it later."""

    retryable: ClassVar[bool] = True


add_chinese(
    {
        "INVALID_INPUT": "输入有误。",
        "NOT_FOUND": "未找到该编号，或您无权查看。",
        "REQUEST_ID_REUSED": "该请求编号已用于另一内容的请求。",
        "REQUEST_IN_PROGRESS": "首个同编号请求尚未答复，请稍后重试。",
    }
)
