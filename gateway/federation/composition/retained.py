"""Directives of the subgraphs' own that the supergraph keeps by `@composeDirective`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import DirectiveDefinitionNode, print_ast

from gateway.federation.composition.conflicts import Findings, named
from gateway.federation.subgraph import Link, Subgraph

_EXECUTABLE = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)


@dataclass(frozen=True, slots=True)
class Retained:
    """Directives kept.

    Attributes:
        repeatable_by_name: names without `@`; whether an element may carry several.
        links: applications of `@link` that say where they come from.
        definitions: without the word `directive`.
    """

    repeatable_by_name: dict[str, bool]
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
    repeatable = {}
    for name, asked_by in sorted(asking.items()):
        newest = _newest(name, asked_by, findings)
        definition = _definition(name, newest)
        repeatable[name] = newest.directives[name].repeatable
        link = _link_of(newest, name)
        assert link is not None
        links.setdefault(link.url, {})[_import(link, name)] = None
        definitions.append(definition)
    printed = tuple(
        f'@link(url: "{url}", import: [{", ".join(imports)}])' for url, imports in links.items()
    )
    definitions += _executable(subgraphs)
    return Retained(repeatable, printed, tuple(definitions))


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


def _newest(name: str, asked_by: Sequence[Subgraph], findings: Findings) -> Subgraph:
    """The subgraph that links to the newest version; all must be of one major version."""
    versions = {}
    for subgraph in asked_by:
        link = _link_of(subgraph, name)
        match = re.search(r"/v(\d+)\.(\d+)$", link.url) if link else None
        versions[subgraph.name] = (int(match[1]), int(match[2])) if match else (0, 0)
    if len({major for major, _ in versions.values()}) > 1:
        findings.conflict(
            "DIRECTIVE_COMPOSITION_ERROR",
            f'"@{name}" comes from different major versions in subgraphs {named(versions)}.',
            subgraphs=versions,
            at=f"@{name}",
        )
    return max(asked_by, key=lambda subgraph: versions[subgraph.name])


def _definition(name: str, subgraph: Subgraph) -> str:
    return _bare(print_ast(subgraph.directives[name]))


def _bare(printed: str) -> str:
    # Without the description, which may be printed in front.
    return printed[printed.index("directive @") :].removeprefix("directive ")


def _executable(subgraphs: Sequence[Subgraph]) -> list[str]:
    """Definitions of directives that clients may use in any subgraph, where all allow them."""
    kept = []
    for name, first in sorted(subgraphs[0].directives.items()):
        nodes = [one.directives[name] for one in subgraphs if name in one.directives]
        places = [place.value for place in first.locations if place.value in _EXECUTABLE]
        shared = [place for place in places if all(_allows(node, place) for node in nodes)]
        if shared and len(nodes) == len(subgraphs):
            arguments = ", ".join(
                print_ast(argument)
                for argument in first.arguments or ()
                if all(_takes(node, argument.name.value) for node in nodes)
            )
            repeatable = " repeatable" if all(node.repeatable for node in nodes) else ""
            taken = f"({arguments})" if arguments else ""
            kept.append(f"@{name}{taken}{repeatable} on {' | '.join(shared)}")
    return kept


def _allows(node: DirectiveDefinitionNode, place: str) -> bool:
    return place in {one.value for one in node.locations}


def _takes(node: DirectiveDefinitionNode, argument: str) -> bool:
    return argument in {one.name.value for one in node.arguments or ()}
