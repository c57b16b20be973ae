"""Rejoins what shards answered, each in its place; their replies are untrusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.federation.faults import FaultCode
from gateway.federation.transport import SubgraphReply, Transport
from gateway.transports.shard_documents import RootField

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A position that one shard fills.

    Attributes:
        place: path in the rejoined answer: a root field, or an item of an `_entities` field.
        shard: key of the shard that was asked.
        typename: type of the entity; empty for a root field.
    """

    place: Place
    shard: str
    typename: str = ""


@dataclass(slots=True)
class Part:
    """What one transport is asked: root fields by number, each with the slots it fills."""

    transport: Transport
    slots: dict[int, list[Slot]] = field(default_factory=dict)
    representations: dict[int, list[Any]] = field(default_factory=dict)

    def all_slots(self) -> Iterator[Slot]:
        """Every slot, in the order of the document."""
        for number in sorted(self.slots):
            yield from self.slots[number]


class RejoinedReply:
    """The reply of all shards together.

    Args:
        root_fields: of the whole operation.
        extension_name: the entry of `extensions` that names a shard.
        stranger_check: per type, the field that names an object's shard; an object that names
            another shard than the one that was asked is dropped.
    """

    def __init__(
        self,
        root_fields: tuple[RootField, ...],
        *,
        extension_name: str,
        stranger_check: Mapping[str, str],
    ) -> None:
        self._root_fields = root_fields
        self._extension_name = extension_name
        self._stranger_check = stranger_check
        self.data: dict[str, Any] = {}
        self.errors: list[dict[str, Any]] = []

    def reply(self) -> SubgraphReply:
        """Everything that was put together so far."""
        return SubgraphReply(self.data, self.errors)

    def open_field(self, root_field: RootField, count: int | None) -> None:
        """Makes room: for `count` entities, or for one value of a root field."""
        self.data[root_field.response_key] = None if count is None else [None] * count

    def fail(
        self,
        slot: Slot,
        message: str,
        code: str,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        """Leaves null in the slot, and says why."""
        own = {**(extensions or {}), "code": str(code)}
        if slot.shard:
            own[self._extension_name] = slot.shard
        self.errors.append({"message": message, "path": list(slot.place), "extensions": own})

    def fail_all(
        self,
        part: Part,
        message: str,
        code: str,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        """Leaves null in every slot of the part."""
        for slot in part.all_slots():
            self.fail(slot, message, code, extensions)

    def take(self, part: Part, reply: SubgraphReply) -> None:
        """Puts the part's answers into their slots, and its errors beside them."""
        data: Any = reply.data
        raw_errors: Any = reply.errors
        errors = raw_errors if isinstance(raw_errors, list) else []
        if type(data) is not dict:
            if data is not None or not errors:
                self._fail_malformed(part.all_slots(), "A shard gave a reply without data.")
                return
            data = {}
        for error in errors:
            self._take_error(part, error, has_data=bool(data))
        for number, slots in part.slots.items():
            self._take_field(self._root_fields[number], slots, data, has_errors=bool(errors))

    def _fail_malformed(self, slots: Iterator[Slot] | list[Slot], message: str) -> None:
        for slot in slots:
            self.fail(slot, message, FaultCode.SUBGRAPH_MALFORMED_REPLY)

    def _take_field(
        self, root_field: RootField, slots: list[Slot], data: dict[str, Any], *, has_errors: bool
    ) -> None:
        answer = data.get(root_field.response_key)
        if root_field.representations is None:
            slot = slots[0]
            self.data[root_field.response_key] = self._checked(answer, slot.shard, slot.place)
            return
        if answer is None and has_errors:
            return
        if type(answer) is not list or len(answer) != len(slots):
            self._fail_malformed(slots, "A shard gave another number of entities than asked for.")
            return
        room = self.data[root_field.response_key]
        for slot, entity in zip(slots, answer, strict=True):
            index = slot.place[-1]
            assert isinstance(index, int)
            room[index] = self._checked_entity(entity, slot)

    def _checked_entity(self, entity: Any, slot: Slot) -> Any:
        if type(entity) is dict and self._is_stranger(entity, slot.typename, slot.shard):
            return self._dropped(slot.shard, slot.place)
        return self._checked(entity, slot.shard, slot.place)

    def _is_stranger(self, entity: dict[str, Any], typename: Any, shard: str) -> bool:
        if type(typename) is not str:
            return False
        key_field = self._stranger_check.get(typename)
        named = entity.get(key_field) if key_field is not None else None
        return named is not None and named != shard

    def _checked(self, value: Any, shard: str, place: Place) -> Any:
        """The value without objects, at any depth, that name another shard."""
        if type(value) is dict:
            if self._is_stranger(value, value.get("__typename"), shard):
                return self._dropped(shard, place)
            for key, item in value.items():
                if type(item) is dict or type(item) is list:
                    value[key] = self._checked(item, shard, (*place, key))
        elif type(value) is list:
            for index, item in enumerate(value):
                if type(item) is dict or type(item) is list:
                    value[index] = self._checked(item, shard, (*place, index))
        return value

    def _dropped(self, shard: str, place: Place) -> None:
        message = "A shard gave an object of another shard; it was dropped."
        self.fail(Slot(place, shard), message, FaultCode.SUBGRAPH_MALFORMED_REPLY)

    def _take_error(self, part: Part, error: Any, *, has_data: bool) -> None:
        entry: dict[Any, Any] = dict(error) if isinstance(error, dict) else {}
        path = entry.get("path")
        slot, below = self._slot_of(part, path)
        if slot is not None:
            self.errors.append(self._named(entry, slot.shard, [*slot.place, *below]))
            return
        named = path[0] if isinstance(path, list) and path else None
        field_slots = [
            slots
            for number, slots in part.slots.items()
            if self._root_fields[number].response_key == named
        ]
        if field_slots or not has_data:
            # No one item is named, or nothing came back: every slot lost its answer.
            for lost in field_slots[0] if field_slots else part.all_slots():
                self.errors.append(self._named(entry, lost.shard, list(lost.place)))
            return
        shards = {other.shard for other in part.all_slots()}
        self.errors.append(self._named(entry, shards.pop() if len(shards) == 1 else "", None))

    def _slot_of(self, part: Part, path: Any) -> tuple[Slot | None, list[Any]]:
        if not isinstance(path, list) or not path:
            return None, []
        for number, slots in part.slots.items():
            root_field = self._root_fields[number]
            if root_field.response_key != path[0]:
                continue
            if root_field.representations is None:
                return slots[0], path[1:]
            index = path[1] if len(path) > 1 else None
            if type(index) is int and 0 <= index < len(slots):
                return slots[index], path[2:]
        return None, []

    def _named(self, entry: dict[Any, Any], shard: str, path: list[Any] | None) -> dict[str, Any]:
        raw = entry.get("extensions")
        extensions: dict[str, Any] = dict(raw) if isinstance(raw, dict) else {}
        extensions.pop(self._extension_name, None)  # A shard speaks for itself alone.
        if shard:
            extensions[self._extension_name] = shard
        named = {**entry, "extensions": extensions}
        named.pop("path", None)
        if path is not None:
            named["path"] = path
        return named
