"""Directives of the subgraphs' own that the supergraph keeps by `@composeDirective`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import print_ast

from gateway.federation.composition.conflicts import Findings, named
from gateway.federation.subgraph import Link, Subgraph


@dataclass(frozen=True, slots=True)
class Retained:
    """Directives kept.

    Attributes:
        names: without `@`.
        links: applications of `@link` that say where they come from.
        definitions: without the word `directive`.
    """

    names: frozenset[str]
    links: tuple[str, ...]
    definitions: tuple[str, ...]


def find_retained(subgraphs: Sequence[Subgraph], findings: Findings) -> Retained:
    """Directives that any subgraph asks to keep; each needs a link and one definition."""
    asking: dict[str, list[Subgraph]] = {}
    for subgraph in subgraphs:
        for composed in subgraph.composed:
            if _is_known(subgraph, composed, findings):
                asking.setdefault(composed.removeprefix("@"), []).append(subgraph)
    links: dict[str, dict[str, None]] = {}
    definitions = []
    for name, asked_by in sorted(asking.items()):
        definition = _definition(name, asked_by, findings)
        link = _link_of(asked_by[0], name)
        assert link is not None
        links.setdefault(link.url, {})[_import(link, name)] = None
        definitions.append(definition)
    printed = tuple(
        f'@link(url: "{url}", import: [{", ".join(imports)}])' for url, imports in links.items()
    )
    return Retained(frozenset(asking), printed, tuple(definitions))


def _is_known(subgraph: Subgraph, composed: str, findings: Findings) -> bool:
    name = composed.removeprefix("@")
    fault = ""
    if not composed.startswith("@"):
        fault = f'"{composed}" must start with "@"'
    elif name not in subgraph.directives:
        fault = f'"{composed}" has no definition'
    elif _link_of(subgraph, name) is None:
        fault = f'"{composed}" is not imported by any @link'
    if fault:
        findings.conflict(
            "DIRECTIVE_COMPOSITION_ERROR",
            f'In @composeDirective of subgraph "{subgraph.name}": {fault}.',
            subgraphs=[subgraph.name],
        )
    return not fault


def _link_of(subgraph: Subgraph, name: str) -> Link | None:
    for link in subgraph.links:
        spec = link.alias or link.url.split("/")[-2]
        imported = {used_as for _, used_as in link.imports}
        if f"@{name}" in imported or name == spec or name.startswith(f"{spec}__"):
            return link
    return None


def _import(link: Link, name: str) -> str:
    for original, used_as in link.imports:
        if used_as == f"@{name}" and original != used_as:
            return f'{{ name: "{original}", as: "{used_as}" }}'
    return f'"@{name}"'


def _definition(name: str, asked_by: Sequence[Subgraph], findings: Findings) -> str:
    printed = {}
    for subgraph in asked_by:
        node = subgraph.directives[name]
        text = print_ast(node)
        # A description says nothing about compatibility.
        printed[subgraph.name] = text[text.index("directive @") :].removeprefix("directive ")
    if len(set(printed.values())) > 1:
        findings.conflict(
            "DIRECTIVE_DEFINITION_INVALID",
            f'Definitions of "@{name}" differ between subgraphs {named(printed)}.',
            subgraphs=printed,
            at=f"@{name}",
        )
    return printed[asked_by[0].name]
