"""Checks that `@external` fields say of themselves what their owners say."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.federation.composition.conflicts import Findings
from gateway.federation.subgraph import Field, InputValue, TypeRef

Declared = tuple[str, Field]
"""A subgraph's name and its declaration of a field."""


def check_external(
    external: Declared,
    *,
    owners: Sequence[Declared],
    merged_type: TypeRef,
    merged_arguments: Sequence[InputValue],
    at: str,
    findings: Findings,
) -> None:
    """Notes where an external declaration differs from the field that others answer."""
    subgraph, field = external
    concerned = [subgraph, *(name for name, _ in owners)]
    where = f'"{at}" is @external in subgraph "{subgraph}"'
    if str(field.type) not in {str(merged_type), *(str(one.type) for _, one in owners)}:
        findings.conflict(
            "EXTERNAL_TYPE_MISMATCH",
            f'{where} with type "{field.type}", but its type is "{merged_type}".',
            subgraphs=concerned,
            at=at,
        )
    for wanted in merged_arguments:
        given = field.arguments.get(wanted.name)
        place = f"{at}({wanted.name}:)"
        if given is None:
            findings.conflict(
                "EXTERNAL_ARGUMENT_MISSING",
                f'{where} without its argument "{wanted.name}".',
                subgraphs=concerned,
                at=place,
            )
            continue
        spelled = {str(one.arguments[wanted.name].type) for _, one in owners}
        if str(given.type) not in {str(wanted.type), *spelled}:
            findings.conflict(
                "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
                f'{where} with argument "{wanted.name}" of type "{given.type}", but its type is'
                f' "{wanted.type}".',
                subgraphs=concerned,
                at=place,
            )
        if given.default != wanted.default:
            findings.conflict(
                "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
                f'{where} with default {given.default or "none"} of argument "{wanted.name}", but'
                f" its default is {wanted.default or 'none'}.",
                subgraphs=concerned,
                at=place,
            )
