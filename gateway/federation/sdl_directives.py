"""Directives on elements of a subgraph's SDL, read under whatever names the document uses."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    ListValueNode,
    StringValueNode,
    TypeDefinitionNode,
    print_ast,
)

from gateway.federation.field_sets import FieldSetRefused, parse_field_set, top_level_fields
from gateway.federation.links import Names, argument, argument_node
from gateway.federation.subgraph import AppliedDirective, Key, Markers, Override, ScopeSets

Directives = dict[str, list[ConstDirectiveNode]]
Element = (
    TypeDefinitionNode | FieldDefinitionNode | InputValueDefinitionNode | EnumValueDefinitionNode
)


def directives_of(node: Element, names: Names) -> Directives:
    """The element's directives by the federation's names; others keep their `@`."""
    found: Directives = {}
    for directive in node.directives or ():
        used = directive.name.value
        meaning = names.meaning_by_directive.get(used)
        found.setdefault(meaning or f"@{used}", []).append(directive)
    return found


def read_markers(directives: Directives) -> Markers:
    """What the supergraph carries on of the directives."""
    deprecated = directives.get("@deprecated")
    return Markers(
        inaccessible="inaccessible" in directives,
        tags=tuple(sorted({str(argument(one, "name")) for one in directives.get("tag", ())})),
        authenticated="authenticated" in directives,
        scopes=_alternatives(directives, "requiresScopes", "scopes"),
        policies=_alternatives(directives, "policy", "policies"),
        specified_by=_url(directives.get("@specifiedBy")),
        one_of="@oneOf" in directives,
        deprecated=None if deprecated is None else _reason(deprecated[0]),
        applied=tuple(
            AppliedDirective(used.removeprefix("@"), print_ast(one))
            for used, given in directives.items()
            for one in given
            if used.startswith("@") and used not in ("@deprecated", "@specifiedBy", "@oneOf")
        ),
    )


def _url(specified: list[ConstDirectiveNode] | None) -> str | None:
    url = argument(specified[0], "url") if specified else None
    return url if isinstance(url, str) else None


def _reason(directive: ConstDirectiveNode) -> str:
    reason = argument(directive, "reason")
    return reason if isinstance(reason, str) else "No longer supported"


def _alternatives(directives: Directives, name: str, argument_name: str) -> ScopeSets | None:
    given = directives.get(name)
    if not given:
        return None
    value = argument(given[0], argument_name)
    sets = value if isinstance(value, list) else [value]
    return tuple(
        tuple(str(scope) for scope in (one if isinstance(one, list) else [one])) for one in sets
    )


def read_key(directive: ConstDirectiveNode) -> Key:
    """The key that a `@key` states."""
    return Key(
        fields=_text(argument(directive, "fields")),
        resolvable=argument(directive, "resolvable") is not False,
    )


def field_set_text(directives: Directives, name: str) -> str | None:
    """The field set of `@requires` or `@provides`; None when not given."""
    given = directives.get(name)
    return _text(argument(given[0], "fields")) if given else None


def _text(value: object) -> str:
    # Federation 1 also took a list of texts.
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = str(value)
    # Within a text or behind a comment, white space means something.
    return text if '"' in text or "#" in text else " ".join(text.split())


def top_level_of(keys: tuple[Key, ...]) -> frozenset[str]:
    """Fields that any of the keys selects on the entity itself."""
    found: set[str] = set()
    for key in keys:
        try:
            found |= top_level_fields(parse_field_set(key.fields))
        except FieldSetRefused:
            continue  # The check of keys names the fault.
    return frozenset(found)


def read_override(directives: Directives) -> Override | None:
    """The override stated; None when there is none."""
    given = directives.get("override")
    if not given:
        return None
    label = argument(given[0], "label")
    return Override(str(argument(given[0], "from")), label if isinstance(label, str) else None)


def unspelled_field_sets(document: DocumentNode, names: Names) -> Iterator[tuple[str, str]]:
    """Pairs of (directive, coordinate) where `fields` is not given as text."""
    for node in document.definitions:
        if not isinstance(node, TypeDefinitionNode):
            continue
        elements: list[tuple[str, Element]] = [(node.name.value, node)]
        elements += [
            (f"{node.name.value}.{field.name.value}", field)
            for field in getattr(node, "fields", None) or ()
        ]
        for at, element in elements:
            directives = directives_of(element, names)
            for name in ("key", "requires", "provides"):
                for directive in directives.get(name, ()):
                    if not _is_text(directive, names):
                        yield name, at


def _is_text(directive: ConstDirectiveNode, names: Names) -> bool:
    node = argument_node(directive, "fields")
    if isinstance(node, ListValueNode) and names.is_federation_1:
        return all(isinstance(one, StringValueNode) for one in node.values)
    return isinstance(node, StringValueNode)
