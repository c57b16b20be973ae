"""Under which names a schema document uses the elements of the specifications it links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    value_from_ast_untyped,
)

_VERSION = re.compile(r"v\d+(\.\d+)*")


def linked_specs(document: DocumentNode) -> Iterator[tuple[str, str, list[Any]]]:
    """Name, local namespace and imports of every `@link` (or older `@core`) of the schema."""
    for definition in document.definitions:
        if not isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            continue
        for directive in definition.directives or ():
            arguments = {
                argument.name.value: value_from_ast_untyped(argument.value)
                for argument in directive.arguments or ()
            }
            url = arguments.get("url") or arguments.get("feature")
            if directive.name.value not in ("link", "core") or not isinstance(url, str):
                continue
            parts = [part for part in url.split("/") if part and not _VERSION.fullmatch(part)]
            name = parts[-1]
            yield name, arguments.get("as") or name, arguments.get("import") or []


def namespaces(document: DocumentNode) -> frozenset[str]:
    """Prefixes (before `__`) of the types that belong to linked specifications."""
    known = {"join", "link", "core"}
    for name, local, _ in linked_specs(document):
        known |= {name, local}
    return frozenset(known)


def names_of_element(document: DocumentNode, *, spec: str, element: str) -> frozenset[str]:
    """Local names of a specification's directive, without `@`; its own name when not linked."""
    found: set[str] = set()
    for name, local, imports in linked_specs(document):
        found |= {
            alias.removeprefix("@")
            for imported in imports
            for original, alias in [_imported(imported)]
            if original == f"@{element}"
        }
        if name == spec:
            found.add(local if spec == element else f"{local}__{element}")
    return frozenset(found or {element})


def _imported(imported: Any) -> tuple[str, str]:
    if isinstance(imported, dict):
        return str(imported["name"]), str(imported.get("as", imported["name"]))
    return str(imported), str(imported)
