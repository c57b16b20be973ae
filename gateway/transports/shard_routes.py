"""Tells which shard answers what, and deals an operation's positions out to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.federation.faults import FaultCode
from gateway.federation.transport import Transport, TransportFailed
from gateway.transports.shard_replies import Part, RejoinedReply, Slot


@dataclass(frozen=True, slots=True)
class FixedShard:
    """Everything of this kind lives on one shard."""

    key: str


def _as_it_is(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A shard key is a string.")
    return value


@dataclass(frozen=True, slots=True)
class ByArgument:
    """A root field whose argument names the shard.

    Attributes:
        path: argument, then fields inside it: `("input", "merchantId")`.
        key_of: value found there to shard key, for ids that embed it; raises ValueError when the
            value holds none.
    """

    path: tuple[str, ...]
    key_of: Callable[[Any], str] = _as_it_is


class ShardDirectory(Protocol):
    """Where each shard is."""

    def shard_of(self, key: str) -> Transport:
        """The transport of the shard; the same object for shards that share one.

        Raises:
            TransportFailed: there is no such shard, or it is known to be down.
        """
        ...


class NoShard(Exception):
    """A position whose shard can not be told."""

    def __init__(self, message: str, code: str, extensions: Mapping[str, object], key: str) -> None:
        super().__init__(message)
        self.code = code
        self.extensions = extensions
        self.key = key


class Division:
    """Deals the positions of one operation out to parts, one part per transport.

    Args:
        in_order: whether parts keep the order of root fields, so that only neighbours share one.

    Attributes:
        parts: so far; a position whose shard can not be told is failed in `rejoined` instead.
    """

    def __init__(
        self, directory: ShardDirectory, rejoined: RejoinedReply, *, in_order: bool
    ) -> None:
        self._directory = directory
        self._rejoined = rejoined
        self._in_order = in_order
        self._found: dict[str, Transport | NoShard] = {}
        self._part_by_transport: dict[int, Part] = {}
        self.parts: list[Part] = []

    def add_entity(
        self,
        number: int,
        place: tuple[str, int],
        representation: Mapping[str, Any],
        shard_keys: Mapping[str, str | FixedShard],
    ) -> None:
        """Deals out one item of an `_entities` field."""
        typename = representation.get("__typename", "")

        def key() -> str:
            rule = shard_keys.get(typename)
            if rule is None:
                message = f"No shard answers for {typename}."
                raise NoShard(message, FaultCode.INTERNAL, {}, "")
            if isinstance(rule, FixedShard):
                return rule.key
            named = representation.get(rule)
            if not isinstance(named, str):
                message = f"A {typename} names no shard."
                raise NoShard(message, FaultCode.INVALID_VALUE, {}, "")
            return named

        found = self._place(place, key, typename)
        if found is not None:
            part, slot = found
            part.slots.setdefault(number, []).append(slot)
            part.representations.setdefault(number, []).append(representation)

    def add_root_field(self, number: int, place: tuple[str], key: Callable[[], str]) -> None:
        """Deals out a root field; `key` raises `NoShard` when it can not tell."""
        found = self._place(place, key, "")
        if found is not None:
            part, slot = found
            part.slots[number] = [slot]

    def _place(
        self, place: tuple[str | int, ...], key_of: Callable[[], str], typename: str
    ) -> tuple[Part, Slot] | None:
        try:
            key = key_of()
            transport = self._transport(key)
        except NoShard as none:
            slot = Slot(place, none.key, typename)
            self._rejoined.fail(slot, str(none), none.code, none.extensions)
            return None
        return self._part(transport), Slot(place, key, typename)

    def _transport(self, key: str) -> Transport:
        found = self._found.get(key)
        if found is None:
            try:
                found = self._directory.shard_of(key)
            except TransportFailed as failure:
                found = NoShard(str(failure), failure.code, failure.extensions, key)
            self._found[key] = found
        if isinstance(found, NoShard):
            raise found
        return found

    def _part(self, transport: Transport) -> Part:
        part = self._part_by_transport.get(id(transport))
        if part is None or (self._in_order and part is not self.parts[-1]):
            part = self._part_by_transport[id(transport)] = Part(transport)
            self.parts.append(part)
        return part
