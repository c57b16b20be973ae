"""Descriptions and markers of one element, merged from every subgraph that declares it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from gateway.federation.composition.conflicts import Findings
from gateway.federation.subgraph import AppliedDirective, Markers, ScopeSets


class Marked(Protocol):
    """Anything with a description and markers."""

    @property
    def description(self) -> str | None:
        """The description, if any."""
        ...

    @property
    def markers(self) -> Markers:
        """The markers."""
        ...


def merge_description(
    elements: Sequence[tuple[str, Marked]], *, at: str, findings: Findings
) -> str | None:
    """The description that most subgraphs give; of equally many, the first by subgraph."""
    counts = Counter(one.description for _, one in elements if one.description)
    if not counts:
        return None
    if len(counts) > 1:
        findings.hint(
            "INCONSISTENT_DESCRIPTION",
            f'Descriptions of "{at}" differ between subgraphs.',
            subgraphs=(name for name, one in elements if one.description),
            at=at,
        )
    return counts.most_common(1)[0][0]


def merge_markers(
    elements: Sequence[tuple[str, Marked]],
    *,
    composed: Mapping[str, bool],
    at: str,
    findings: Findings,
) -> Markers:
    """Markers that hold if any subgraph sets them; scopes must satisfy every subgraph.

    Args:
        composed: directives of the subgraphs' own to keep: whether an element may carry several.
    """
    all_markers = [one.markers for _, one in elements]
    return Markers(
        inaccessible=any(one.inaccessible for one in all_markers),
        tags=tuple(sorted({tag for one in all_markers for tag in one.tags})),
        authenticated=any(one.authenticated for one in all_markers),
        scopes=all_of(one.scopes for one in all_markers),
        policies=all_of(one.policies for one in all_markers),
        specified_by=next((one.specified_by for one in all_markers if one.specified_by), None),
        one_of=any(one.one_of for one in all_markers),
        deprecated=_deprecation(elements, at=at, findings=findings),
        applied=_applied(elements, composed=composed),
    )


def all_of(given: Iterable[ScopeSets | None]) -> ScopeSets | None:
    """Alternatives that satisfy every given set of alternatives at once, none redundant."""
    stated = list(dict.fromkeys(one for one in given if one is not None))
    if len(stated) <= 1:
        return stated[0] if stated else None
    merged: set[frozenset[str]] | None = None
    for alternatives in stated:
        sets = {frozenset(one) for one in alternatives}
        merged = sets if merged is None else {one | other for one in merged for other in sets}
    assert merged is not None
    needed = [one for one in merged if not any(other < one for other in merged)]
    return tuple(sorted(tuple(sorted(one)) for one in needed))


def _deprecation(
    elements: Sequence[tuple[str, Marked]], *, at: str, findings: Findings
) -> str | None:
    reasons = [one.markers.deprecated for _, one in elements if one.markers.deprecated is not None]
    if len(set(reasons)) > 1:
        findings.hint(
            "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
            f'"{at}" is deprecated for different reasons; the first is kept.',
            subgraphs=(name for name, one in elements if one.markers.deprecated is not None),
            at=at,
        )
    return reasons[0] if reasons else None


def _applied(
    elements: Sequence[tuple[str, Marked]], *, composed: Mapping[str, bool]
) -> tuple[AppliedDirective, ...]:
    kept: dict[AppliedDirective, None] = {}
    names: set[str] = set()
    for _, one in elements:
        for applied in one.markers.applied:
            # Of a directive that can not be repeated, the first subgraph's stands.
            if applied.name in composed and (composed[applied.name] or applied.name not in names):
                kept[applied] = None
                names.add(applied.name)
    return tuple(kept)
