"""Proves that every public field can be fetched on every path that leads to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.federation.composition.conflicts import named
from gateway.federation.composition.merged import MergedField, MergedType, Supergraph
from gateway.federation.composition.routes import Routes, Stand, Stands
from gateway.federation.composition.sources import Sources
from gateway.federation.composition.unreachable import explain
from gateway.federation.subgraph import ROOT_NAMES, Kind, named_type

_COMPOSITE = (Kind.OBJECT, Kind.INTERFACE, Kind.UNION)


@dataclass(frozen=True, slots=True)
class Step:
    """A field or a type test on the way from a root."""

    text: str
    parent: Step | None = None

    def path(self) -> tuple[str, ...]:
        """Steps from the root to here."""
        return (*(self.parent.path() if self.parent else ()), self.text)


@dataclass(frozen=True, slots=True)
class _Visit:
    type_name: str
    stands: Stands
    step: Step


def check_satisfiability(supergraph: Supergraph, sources: Sources) -> None:
    """Notes each public field that some path reaches and no subgraph can answer there."""
    has_labels = any(one.label for one in sources.overridden.values())
    for labels_hold in (True, False) if has_labels else (True,):
        routes = Routes(supergraph, sources, labels_hold=labels_hold)
        _Walk(supergraph, sources, routes).run()


class _Walk:
    """Walks the public schema breadth first, so that examples are short."""

    def __init__(self, supergraph: Supergraph, sources: Sources, routes: Routes) -> None:
        self._supergraph = supergraph
        self._sources = sources
        self._routes = routes
        self._seen: dict[str, list[Stands]] = {}
        self._failed: set[str] = set()

    def run(self) -> None:
        queue: deque[_Visit] = deque()
        for root in ROOT_NAMES:
            if root in self._supergraph.types:
                stands = frozenset(
                    Stand(subgraph.name, root)
                    for subgraph in self._supergraph.subgraphs
                    if root in subgraph.types
                )
                queue.append(_Visit(root, stands, Step(root.lower())))
        while queue:
            visit = queue.popleft()
            if self._is_new(visit):
                merged = self._supergraph.types[visit.type_name]
                walk = self._object if merged.kind is Kind.OBJECT else self._abstract
                queue.extend(walk(merged, visit))

    def _is_new(self, visit: _Visit) -> bool:
        seen = self._seen.setdefault(visit.type_name, [])
        # Whatever fewer stands could answer, more can.
        if any(stands <= visit.stands for stands in seen):
            return False
        seen.append(visit.stands)
        return True

    def _object(self, merged: MergedType, visit: _Visit) -> Iterator[_Visit]:
        for field in merged.fields.values():
            yield from self._field(merged, field, visit)

    def _field(self, merged: MergedType, field: MergedField, visit: _Visit) -> Iterator[_Visit]:
        result = named_type(field.type)
        target = self._supergraph.types.get(result)
        if field.markers.inaccessible or (target and target.markers.inaccessible):
            return
        # A key or requirement is gathered along one path; what a second path holds does not help.
        below: Stands = frozenset().union(
            *(
                self._routes.advance(merged.name, field.name, self._spread(merged, {stand}))
                for stand in visit.stands
            )
        )
        step = Step(field.name, visit.step)
        if not below:
            self._fail(merged, field, self._spread(merged, visit.stands), step)
        elif target is not None and target.kind in _COMPOSITE:
            yield _Visit(result, below, step)

    def _abstract(self, merged: MergedType, visit: _Visit) -> Iterator[_Visit]:
        unknown = any(self._routes.is_interface_object(stand) for stand in visit.stands)
        reached = self._spread(merged, visit.stands) if unknown else visit.stands
        knowing = frozenset(
            stand for stand in reached if not self._routes.is_interface_object(stand)
        )
        if not knowing:
            self._fail_to_know(merged, reached, visit.step)
            for field in merged.fields.values():
                yield from self._field(merged, field, visit)
        for concrete in self._routes.concrete_types(merged.name):
            narrowed = self._routes.narrow(knowing, concrete)
            if narrowed and not self._supergraph.types[concrete].markers.inaccessible:
                yield _Visit(concrete, narrowed, Step(f"... on {concrete}", visit.step))

    def _spread(self, merged: MergedType, stands: Iterable[Stand]) -> Stands:
        return self._routes.spread(merged.name, frozenset(stands))

    def _fail_to_know(self, merged: MergedType, reached: Stands, step: Step) -> None:
        if merged.name in self._failed or not self._routes.concrete_types(merged.name):
            return
        self._failed.add(merged.name)
        standing = sorted({stand.subgraph for stand in reached})
        knowing = [
            subgraph.name
            for subgraph, declared in self._sources.declaring(merged.name)
            if not declared.is_interface_object
        ]
        example = _example(Step("__typename", step).path())
        self._sources.findings.conflict(
            "SATISFIABILITY_ERROR",
            f"This query can not be answered:\n{example}\n"
            f'"{merged.name}" is an @interfaceObject in subgraph {named(standing)}, and subgraph'
            f" {named(knowing)}, which knows its objects, can not be reached from there.",
            subgraphs=[*standing, *knowing],
            at=merged.name,
            hint=f'Give "{merged.name}" a resolvable @key where it is an interface.',
        )

    def _fail(self, merged: MergedType, field: MergedField, reached: Stands, step: Step) -> None:
        at = f"{merged.name}.{field.name}"
        if at in self._failed:
            return
        self._failed.add(at)
        reasons, subgraphs = explain(
            self._supergraph, self._sources, self._routes, merged, field, reached
        )
        self._sources.findings.conflict(
            "SATISFIABILITY_ERROR",
            f"This query can not be answered:\n{_example(step.path())}\n"
            f'Field "{at}" is out of reach from subgraph {subgraphs.here}:\n' + "\n".join(reasons),
            subgraphs=[*subgraphs.standing, *subgraphs.owning],
            at=at,
            hint="Give the type a @key that both subgraphs know, or answer the field in both.",
        )


def _example(path: tuple[str, ...]) -> str:
    root, *steps = path
    lines = ["{" if root == "query" else f"{root} {{"]
    for depth, step in enumerate(steps, start=1):
        opening = "" if depth == len(steps) else " {"
        lines.append(f"{'  ' * depth}{step}{opening}")
    lines += ["  " * depth + "}" for depth in range(len(steps) - 1, -1, -1)]
    return "\n".join(lines)
