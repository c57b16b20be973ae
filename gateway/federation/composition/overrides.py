"""Which subgraph takes a field over from which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from gateway.federation.composition.conflicts import Findings
from gateway.federation.subgraph import Override, Subgraph

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_\-:./]*")
_PERCENT = re.compile(r"percent\((\d{1,2}(?:\.\d{1,8})?|100)\)")


def find_overrides(
    subgraphs: Sequence[Subgraph], findings: Findings
) -> dict[tuple[str, str, str], Override]:
    """By (subgraph, type, field) that loses it: the subgraph that takes it, and the label."""
    by_name = {subgraph.name: subgraph for subgraph in subgraphs}
    taken: dict[tuple[str, str, str], Override] = {}
    for subgraph in subgraphs:
        for declared in subgraph.types.values():
            for field in declared.fields.values():
                if field.override is None:
                    continue
                at = f"{declared.name}.{field.name}"
                _check_label(subgraph, field.override.label, at, findings)
                source = by_name.get(field.override.source)
                if source is None:
                    findings.hint(
                        "FROM_SUBGRAPH_DOES_NOT_EXIST",
                        f'"{at}" is overridden from "{field.override.source}",'
                        " which is not composed.",
                        subgraphs=[subgraph.name],
                        at=at,
                    )
                    continue
                if declared.is_interface_object:
                    findings.conflict(
                        "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
                        f'"{at}" can not have @override in subgraph "{subgraph.name}", where'
                        f' "{declared.name}" is an @interfaceObject.',
                        subgraphs=[subgraph.name],
                        at=at,
                    )
                    continue
                if _may_take(subgraph, source, at, findings):
                    place = (source.name, declared.name, field.name)
                    taken[place] = Override(subgraph.name, field.override.label)
    return taken


def _may_take(subgraph: Subgraph, source: Subgraph, at: str, findings: Findings) -> bool:
    type_name, field_name = at.split(".")
    if source is subgraph:
        findings.conflict(
            "OVERRIDE_FROM_SELF_ERROR",
            f'"{at}" of subgraph "{subgraph.name}" is overridden from that same subgraph.',
            subgraphs=[subgraph.name],
            at=at,
        )
        return False
    other = source.types.get(type_name)
    if other is None or field_name not in other.fields:
        return False
    lost = other.fields[field_name]
    concerned = [subgraph.name, source.name]
    if lost.override is not None:
        findings.conflict(
            "OVERRIDE_SOURCE_HAS_OVERRIDE",
            f'"{at}" of subgraph "{subgraph.name}" overrides "{source.name}",'
            f' where it overrides "{lost.override.source}".',
            subgraphs=concerned,
            at=at,
        )
        return False
    if lost.requires is not None or lost.provides is not None:
        name = "requires" if lost.requires is not None else "provides"
        findings.conflict(
            "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
            f'"{at}" of subgraph "{subgraph.name}" overrides "{source.name}",'
            f" where it has @{name}.",
            subgraphs=concerned,
            at=at,
        )
        return False
    # An external field was never answered there: nothing is taken over.
    return not lost.external


def _check_label(subgraph: Subgraph, label: str | None, at: str, findings: Findings) -> None:
    if label is None or _LABEL.fullmatch(label):
        return
    share = _PERCENT.fullmatch(label)
    if share and Decimal(share[1]) <= 100:
        return
    findings.conflict(
        "OVERRIDE_LABEL_INVALID",
        f'Label "{label}" of @override on "{at}" in subgraph "{subgraph.name}" is neither a name'
        " (a letter, then letters, digits, and _ - : . /) nor percent(0) to percent(100).",
        subgraphs=[subgraph.name],
        at=at,
    )
