"""Checks that `@external` fields say of themselves what their owners say."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.federation.composition.conflicts import Findings
from gateway.federation.composition.defaults import meaning_of
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
        spelled = {str(one.arguments[wanted.name].type) for _, one in owners}
        fault = _argument_fault(field.arguments.get(wanted.name), wanted, spelled)
        if fault is not None:
            code, difference = fault
            findings.conflict(
                f"EXTERNAL_ARGUMENT_{code}",
                f'{where}, {difference} "{wanted.name}".',
                subgraphs=concerned,
                at=f"{at}({wanted.name}:)",
            )


def _argument_fault(
    given: InputValue | None, wanted: InputValue, spelled: set[str]
) -> tuple[str, str] | None:
    """End of the code, and the difference in words; None when the argument agrees."""
    if given is None:
        return "MISSING", "without its argument"
    if str(given.type) not in {str(wanted.type), *spelled}:
        return "TYPE_MISMATCH", f'with type "{given.type}" instead of "{wanted.type}" for argument'
    if meaning_of(given.default) != meaning_of(wanted.default):
        defaults = f"{given.default or 'none'} instead of {wanted.default or 'none'}"
        return "DEFAULT_MISMATCH", f"with default {defaults} for argument"
    return None
