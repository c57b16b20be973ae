"""The subgraphs of one composition, and facts about them that every merge rule needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.type_refs import IsSubtype
from gateway.federation.subgraph import Field, Override, Subgraph, SubgraphType

Place = tuple[str, str]
"""A type's name and a field's name."""


@dataclass(frozen=True, slots=True)
class FieldUses:
    """Fields of one subgraph that its own directives and interfaces need."""

    in_keys: frozenset[Place]
    in_requires: frozenset[Place]
    in_provides: frozenset[Place]
    in_interfaces: frozenset[Place]

    def is_used(self, place: Place) -> bool:
        """Whether anything in the subgraph needs the field."""
        return (
            place in self.in_keys
            or place in self.in_requires
            or place in self.in_provides
            or place in self.in_interfaces
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """What a composition starts from.

    Attributes:
        subgraphs: sorted by name.
        uses: by subgraph name.
        overridden: by (subgraph, type, field): who takes the field over, and by which label.
        composed: the subgraphs' own directives that the supergraph keeps, by name: whether an
            element may carry several.
    """

    subgraphs: tuple[Subgraph, ...]
    uses: Mapping[str, FieldUses]
    overridden: Mapping[tuple[str, str, str], Override]
    composed: Mapping[str, bool]
    is_subtype: IsSubtype
    findings: Findings

    def declaring(self, type_name: str) -> Iterator[tuple[Subgraph, SubgraphType]]:
        """Subgraphs that declare the type, with their declaration."""
        for subgraph in self.subgraphs:
            declared = subgraph.types.get(type_name)
            if declared is not None:
                yield subgraph, declared

    def override_of(self, field: Field) -> Override | None:
        """The override on the field, if it takes from a subgraph that is composed."""
        override = field.override
        names = {subgraph.name for subgraph in self.subgraphs}
        return override if override and override.source in names else None

    def is_taken(self, subgraph: str, place: Place) -> bool:
        """Whether another subgraph has taken the field over for every request."""
        override = self.overridden.get((subgraph, *place))
        return override is not None and override.label is None


def graph_values(subgraphs: Sequence[str]) -> dict[str, str]:
    """Values of the enum `join__Graph` for subgraph names: capitals, digits, `_`, all distinct."""
    wanted = {}
    for name in subgraphs:
        value = re.sub(r"[^A-Z0-9_]", "_", name.upper())
        if value[:1].isdigit():
            value = f"_{value}"
        # A number at the end is how namesakes are told apart.
        wanted[name] = f"{value}_" if re.search(r"_\d+$", value) else value
    counts: dict[str, int] = {}
    for value in wanted.values():
        counts[value] = counts.get(value, 0) + 1
    seen: dict[str, int] = {}
    values = {}
    for name, value in wanted.items():
        seen[value] = seen.get(value, 0) + 1
        values[name] = value if counts[value] == 1 else f"{value}_{seen[value]}"
    return values
