"""Writes subgraph replies into the merged data; they are untrusted until checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.federation.faults import Fault, FaultCode, PathKey
from gateway.federation.merging import merge_into_all
from gateway.federation.paths import Json, Path, located_objects_at
from gateway.federation.plan import Segment
from gateway.federation.representations import Gathered, Gatherer
from gateway.federation.transport import SubgraphReply, TransportFailed

PATHS_PER_FAULT_MAX: Final = 20
ERRORS_PER_REPLY_MAX: Final = 100
MESSAGE_LENGTH_MAX: Final = 2_000

_HIDDEN_EXTENSIONS: Final = frozenset({"code", "stacktrace", "stackTrace", "debugMessage"})


class ReplyReader:
    """Absorbs the replies to one fetch.

    Args:
        subgraph: put into `extensions.subgraph`.
        root_names: response keys of a fetch of root fields; empty for entities.
        gatherers: one per `_entities` field; empty for root fields.
        response_names: the subgraph's keys to the client's, for the part of a path below a target.
        merged_names: the same for the keys of the merged data that lead to the targets.
        path: to the objects that get the answer to a fetch of root fields.
    """

    __slots__ = (
        "_gatherers",
        "_merged_names",
        "_path",
        "_response_names",
        "_root_names",
        "_subgraph",
    )

    def __init__(
        self,
        subgraph: str,
        *,
        root_names: Sequence[str],
        gatherers: Sequence[Gatherer],
        response_names: Mapping[str, str],
        merged_names: Mapping[str, str],
        path: tuple[Segment, ...] = (),
    ) -> None:
        self._subgraph = subgraph
        self._path = path
        self._root_names = root_names
        self._gatherers = gatherers
        self._response_names = response_names
        self._merged_names = merged_names

    def absorb(
        self,
        reply: SubgraphReply,
        data: Json,
        gathered: Sequence[Gathered],
        objects: Sequence[Json] = (),
    ) -> tuple[list[Fault], bool]:
        """Merges what the reply holds into `data`.

        The faults it reports, or is guilty of; and whether other paths than before may lead to
        objects.

        Args:
            objects: parts of `data` that get the answer to a fetch of root fields.
        """
        places = self._places(data, gathered)
        # A transport may hand on whatever a stranger sent, so types prove nothing here.
        raw_errors: Any = reply.errors
        errors = raw_errors if isinstance(raw_errors, list) else []
        faults = self._passed_on(errors[:ERRORS_PER_REPLY_MAX], places, has_data=bool(reply.data))
        has_new_paths = True
        try:
            if self._gatherers:
                found, has_new_paths = self._absorb_entities(reply, gathered, places)
                faults += found
            elif type(reply.data) is dict:
                has_new_paths = merge_into_all(objects, reply.data)
            elif reply.data is not None or not errors:
                faults += self._malformed("a reply without data", self._all_paths(places))
        except RecursionError:
            faults += self._malformed("data nested too deeply", self._all_paths(places))
        return faults, has_new_paths

    def faults_of_failure(
        self, failure: TransportFailed, data: Json, gathered: Sequence[Gathered]
    ) -> list[Fault]:
        """What a fetch without a usable reply costs: a fault per place that asked for it."""
        places = self._places(data, gathered)
        extensions = {"subgraph": self._subgraph, **failure.extensions}
        return [
            Fault(str(failure), failure.code, path, extensions=extensions)
            for path in self._all_paths(places)
        ]

    def _places(self, data: Json, gathered: Sequence[Gathered]) -> _Places:
        return _Places(data, self._gatherers, gathered, self._merged_names, self._path)

    def _all_paths(self, places: _Places) -> Sequence[Path | None]:
        """What the fetch was for; never empty, so that no failure passes unseen."""
        if self._gatherers:
            return places.all_paths() or (None,)
        paths: list[Path] = [
            (*root, self._client_name(name)) for root in places.roots() for name in self._root_names
        ]
        return paths[:PATHS_PER_FAULT_MAX] or (None,)

    def _client_name(self, key: PathKey) -> PathKey:
        return self._response_names.get(key, key) if isinstance(key, str) else key

    def _malformed(self, what: str, paths: Iterable[Path | None]) -> list[Fault]:
        message = f"Subgraph {self._subgraph} gave {what}."
        extensions = {"subgraph": self._subgraph}
        code = FaultCode.SUBGRAPH_MALFORMED_REPLY
        return [Fault(message, code, path, extensions=extensions) for path in paths]

    def _absorb_entities(
        self, reply: SubgraphReply, gathered: Sequence[Gathered], places: _Places
    ) -> tuple[list[Fault], bool]:
        answers: Any = reply.data
        if type(answers) is not dict:
            if answers is None and reply.errors:
                return [], False
            return self._malformed("a reply without data", self._all_paths(places)), False
        faults: list[Fault] = []
        has_new_paths = False
        for number, (gatherer, asked) in enumerate(zip(self._gatherers, gathered, strict=True)):
            if not asked.representations:
                continue
            entities = answers.get(gatherer.alias)
            if entities is None and reply.errors:
                continue
            if type(entities) is not list or len(entities) != len(asked.targets):
                faults += self._malformed(
                    "another number of entities than it was asked for",
                    places.paths_of_input(number),
                )
                continue
            for position, entity in enumerate(entities):
                if type(entity) is dict:
                    if merge_into_all(asked.targets[position], entity):
                        has_new_paths = True
                elif entity is not None:
                    paths = places.paths_of_entity(number, position)
                    faults += self._malformed("an entity that is no object", paths)
        return faults, has_new_paths

    def _passed_on(self, errors: list[Any], places: _Places, *, has_data: bool) -> list[Fault]:
        faults: list[Fault] = []
        for error in errors:
            entry: dict[Any, Any] = error if isinstance(error, dict) else {}
            message = entry.get("message")
            if not isinstance(message, str):
                message = f"Subgraph {self._subgraph} reported an error without a message."
            raw = entry.get("extensions")
            own: dict[Any, Any] = raw if isinstance(raw, dict) else {}
            code = own.get("code")
            extensions = {"subgraph": self._subgraph, **_scalars(own)}
            for path in self._client_paths(entry.get("path"), places, has_data=has_data):
                faults.append(
                    Fault(
                        message[:MESSAGE_LENGTH_MAX],
                        code if isinstance(code, str) else FaultCode.SUBGRAPH_ERROR,
                        path,
                        extensions=extensions,
                    )
                )
            if len(faults) >= ERRORS_PER_REPLY_MAX:
                break
        return faults

    def _client_paths(self, raw: Any, places: _Places, *, has_data: bool) -> Sequence[Path | None]:
        path = _checked_path(raw)
        if path is None:
            # Nothing came back and no field is named: every place that asked has lost its answer.
            return (None,) if has_data else self._all_paths(places)
        if not self._gatherers:
            below = tuple(map(self._client_name, path))
            return [(*root, *below) for root in places.roots()] or (None,)
        number = next((i for i, g in enumerate(self._gatherers) if g.alias == path[0]), None)
        if number is None:
            return (None,)
        if len(path) == 1 or not isinstance(path[1], int):
            return places.paths_of_input(number) or (None,)
        below = tuple(map(self._client_name, path[2:]))
        targets = places.paths_of_entity(number, path[1])
        return [(*target, *below) for target in targets] or (None,)


def _checked_path(raw: Any) -> Path | None:
    if not isinstance(raw, (list, tuple)) or not raw:
        return None
    if any(not isinstance(key, (str, int)) or isinstance(key, bool) for key in raw):
        return None
    return tuple(raw)


def _scalars(extensions: dict[Any, Any]) -> dict[str, object]:
    return {
        key: value[:MESSAGE_LENGTH_MAX] if isinstance(value, str) else value
        for key, value in extensions.items()
        if isinstance(key, str)
        and key not in _HIDDEN_EXTENSIONS
        and isinstance(value, (str, int, float, bool))
    }


class _Places:
    """Response paths of the objects that a fetch is for, found only when a fault needs them."""

    __slots__ = ("_data", "_gathered", "_gatherers", "_names", "_paths_by_input", "_root_path")

    def __init__(
        self,
        data: Json,
        gatherers: Sequence[Gatherer],
        gathered: Sequence[Gathered],
        names: Mapping[str, str],
        root_path: tuple[Segment, ...],
    ) -> None:
        self._data = data
        self._root_path = root_path
        self._gatherers = gatherers
        self._gathered = gathered
        self._names = names
        self._paths_by_input: dict[int, dict[int, list[Path]]] = {}

    def roots(self) -> list[Path]:
        """Where the objects lie that a fetch of root fields fills."""
        located = located_objects_at(self._data, self._root_path)
        return [self._client_path(path) for _, path in located][:PATHS_PER_FAULT_MAX]

    def _client_path(self, path: Path) -> Path:
        return tuple(self._names.get(key, key) if isinstance(key, str) else key for key in path)

    def paths_of_entity(self, number: int, position: int) -> list[Path]:
        targets = self._gathered[number].targets
        if not 0 <= position < len(targets):
            return []
        by_object = self._by_object(number)
        tokens = dict.fromkeys(id(target) for target in targets[position])
        found = [path for token in tokens for path in by_object.get(token, ())]
        return found[:PATHS_PER_FAULT_MAX]

    def paths_of_input(self, number: int) -> list[Path]:
        found: list[Path] = []
        for position in range(len(self._gathered[number].targets)):
            found += self.paths_of_entity(number, position)
            if len(found) >= PATHS_PER_FAULT_MAX:
                break
        return found[:PATHS_PER_FAULT_MAX]

    def all_paths(self) -> list[Path]:
        found: list[Path] = []
        for number in range(len(self._gatherers)):
            found += self.paths_of_input(number)
        return found[:PATHS_PER_FAULT_MAX]

    def _by_object(self, number: int) -> dict[int, list[Path]]:
        by_object = self._paths_by_input.get(number)
        if by_object is None:
            by_object = self._paths_by_input[number] = {}
            for target, path in located_objects_at(self._data, self._gatherers[number].path):
                by_object.setdefault(id(target), []).append(self._client_path(path))
        return by_object
