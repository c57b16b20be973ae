"""The protocol that every subgraph is reached through, whatever lies behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class CallContext:
    """What travels with one client request to every subgraph call made for it.

    Attributes:
        request_id: names the client's request in logs.
        deadline: instant of `asyncio.get_running_loop().time()` after which no one waits; None
            when there is none.
        caller: whoever the layer above authenticated; opaque here.
        headers: headers to pass on to remote subgraphs.
        scratch: one mutable mapping per client request, for transports and in-process subgraphs
            that keep something for all its calls (data loaders); never read by the engine.
    """

    request_id: str = ""
    deadline: float | None = None
    caller: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    scratch: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubgraphRequest:
    """One GraphQL operation for one subgraph.

    Attributes:
        document: operation text; the same object for every run of a plan, so that it may key
            a cache.
        kind: `query` or `mutation`.
        variables: JSON values; the transport must not change them.
    """

    document: str
    kind: str
    variables: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SubgraphReply:
    """What a subgraph answered, not yet trusted.

    Attributes:
        data: the `data` object, or None. The receiver owns it and may change it.
        errors: the raw `errors` entries, JSON objects as they came.
    """

    data: dict[str, Any] | None
    errors: list[dict[str, Any]] = field(default_factory=list)


class TransportFailed(Exception):
    """No usable reply came.

    Attributes:
        code: a `FaultCode` value: timeout, unavailable or malformed.
        extensions: further entries for the fault (say, the merchant whose backend failed).
    """

    def __init__(
        self, message: str, *, code: str, extensions: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.extensions: Mapping[str, object] = extensions or {}


class Call(Protocol):
    """A request that was sent and whose reply is awaited."""

    def reply(self) -> Awaitable[SubgraphReply]:
        """The subgraph's reply; may be asked for once.

        Raises:
            TransportFailed: no usable reply came before the context's deadline.
        """
        ...

    def cancel(self) -> None:
        """Gives the reply up, unless it came."""
        ...


class Transport(Protocol):
    """Sends operations to one subgraph.

    A transport may also have a method `begin` of the same arguments as `execute`, which sends the
    request before it returns a `Call`, or returns None and sends nothing when it can not do so
    without waiting. Several such calls wait together without tasks of their own.
    """

    async def execute(self, request: SubgraphRequest, context: CallContext) -> SubgraphReply:
        """The subgraph's reply.

        Raises:
            TransportFailed: no usable reply came in time.
        """
        ...
