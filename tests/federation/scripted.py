"""A transport that answers as told, for tests of what stands above it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.federation.transport import CallContext, SubgraphReply, SubgraphRequest

Answer = Callable[[SubgraphRequest, CallContext], Any]


class ScriptedTransport:
    """Gives the same answer to every request, or what a function of the request makes."""

    def __init__(
        self,
        data: Any = None,
        *,
        errors: Any = None,
        answer: Answer | None = None,
        failure: Exception | None = None,
    ) -> None:
        self.requests: list[SubgraphRequest] = []
        self._data = data
        self._errors = errors
        self._answer = answer
        self._failure = failure

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        self.requests.append(request)
        if self._failure is not None:
            raise self._failure
        if self._answer is not None:
            answered = self._answer(request, context)
            if isinstance(answered, Awaitable):
                answered = await answered
            return answered if isinstance(answered, SubgraphReply) else SubgraphReply(answered)
        return SubgraphReply(self._data, [] if self._errors is None else self._errors)
