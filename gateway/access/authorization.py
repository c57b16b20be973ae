"""Refuses operations that read what the caller's token does not open, before any fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.federation.faults import Fault
from gateway.federation.public_schema import AccessRule
from gateway.federation.requests import PreparedOperation
from gateway.federation.supergraph import Supergraph
from gateway.federation.transport import CallContext
from kernel.callers import CallerKind

Coordinate = tuple[str, str]

_NAMED_MAX = 20
"""Faults in one answer; more would tell the caller nothing new."""


class AccessRules:
    """The access rules of a supergraph, for the engine's `authorize`.

    A field opens when its own rule, that of its parent type and that of the type it returns all
    let the caller in. A caller without a token is nobody; a token has exactly one scope.
    """

    def __init__(self, supergraph: Supergraph) -> None:
        self._rules_by_coordinate: Mapping[Coordinate, tuple[AccessRule, ...]] = _rules(supergraph)
        self._coordinates = frozenset(self._rules_by_coordinate)

    def authorize(self, operation: PreparedOperation, context: CallContext) -> Sequence[Fault]:
        """A fault for each field that is closed to the caller; none when the operation may run."""
        guarded = operation.coordinates & self._coordinates
        if not guarded:
            return ()
        caller = context.caller
        scope = None if caller is None else str(caller.kind)
        closed = sorted(
            coordinate
            for coordinate in guarded
            if not all(_lets_in(rule, scope) for rule in self._rules_by_coordinate[coordinate])
        )
        return [
            _fault(coordinate, scope, self._rules_by_coordinate[coordinate])
            for coordinate in closed[:_NAMED_MAX]
        ]


def _lets_in(rule: AccessRule, scope: str | None) -> bool:
    if rule.authenticated and scope is None:
        return False
    if rule.policies:
        return False  # Nothing here decides policies, so none is met.
    return not rule.scopes or any(needed <= {scope} for needed in rule.scopes)


def _fault(coordinate: Coordinate, scope: str | None, rules: Sequence[AccessRule]) -> Fault:
    name = ".".join(coordinate)
    openers = " or ".join(
        _with_article(kind) for kind in CallerKind if all(_lets_in(rule, kind) for rule in rules)
    )
    if scope is None:
        needed = openers if openers and any(rule.scopes for rule in rules) else "a"
        return Fault(
            f"{name} needs {needed} token.", "UNAUTHENTICATED", extensions={"coordinate": name}
        )
    what_opens = f"; it needs {openers} token" if openers else ""
    return Fault(
        f"{name} is not open to {_with_article(scope)} token{what_opens}.",
        "FORBIDDEN",
        extensions={"coordinate": name},
    )


def _with_article(scope: str) -> str:
    return f"{'an' if scope[0] in 'aeiou' else 'a'} {scope}"


def _rules(supergraph: Supergraph) -> dict[Coordinate, tuple[AccessRule, ...]]:
    found: dict[Coordinate, tuple[AccessRule, ...]] = {}
    for type_name, public_type in supergraph.public_schema.type_map.items():
        fields: Mapping[str, Any] = getattr(public_type, "fields", {})
        for field_name, field in fields.items():
            rules = (
                supergraph.scopes(type_name),
                supergraph.scopes(type_name, field_name),
                supergraph.scopes(_named(field.type)),
            )
            binding = tuple(rule for rule in rules if rule != AccessRule())
            if binding:
                found[type_name, field_name] = binding
    return found


def _named(field_type: Any) -> str:
    while hasattr(field_type, "of_type"):
        field_type = field_type.of_type
    name: str = field_type.name
    return name
