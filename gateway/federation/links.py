"""Under which names a subgraph uses the directives of the federation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    ConstValueNode,
    DocumentNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
    value_from_ast_untyped,
)

from gateway.federation.subgraph import Link

FEDERATION = "https://specs.apollo.dev/federation"
VERSION_MAX = (2, 14)

FEDERATION_DIRECTIVES = (
    "key",
    "requires",
    "provides",
    "external",
    "shareable",
    "override",
    "inaccessible",
    "tag",
    "extends",
    "interfaceObject",
    "authenticated",
    "requiresScopes",
    "policy",
    "composeDirective",
    "cost",
    "listSize",
    "cacheTag",
)
ADVICE = ("cost", "listSize", "cacheTag")
"""Directives that tell other gateways what to count or keep, and this one nothing."""

FEDERATION_1_DIRECTIVES = ("key", "requires", "provides", "external", "extends", "tag")
STANDALONE_SPECS = ("tag", "inaccessible", "authenticated", "requiresScopes", "policy")
UNSUPPORTED_SPECS = ("connect", "context")
UNSUPPORTED = frozenset({"context", "fromContext", "connect", "source"})


class LinkRefused(Exception):
    """A `@link` that can not be followed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Names:
    """What a subgraph calls things.

    Attributes:
        meaning_by_directive: name used in the document, to the federation's own name.
        links: all specifications linked to.
    """

    meaning_by_directive: dict[str, str]
    links: tuple[Link, ...]
    is_federation_1: bool


def argument(node: ConstDirectiveNode, name: str) -> object:
    """Value of a directive's argument as plain Python; None when absent."""
    value = argument_node(node, name)
    return None if value is None else value_from_ast_untyped(value)


def argument_node(node: ConstDirectiveNode, name: str) -> ConstValueNode | None:
    """Value of a directive's argument as written; None when absent."""
    for given in node.arguments or ():
        if given.name.value == name:
            return given.value
    return None


def schema_directives(document: DocumentNode) -> Iterator[ConstDirectiveNode]:
    """Directives on the schema definition and its extensions, in order."""
    for definition in document.definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            yield from definition.directives or ()


def read_links(document: DocumentNode) -> tuple[Link, ...]:
    """Every `@link` of the document, in order.

    Raises:
        LinkRefused: a link without a text url.
    """
    links = []
    for directive in schema_directives(document):
        if directive.name.value not in ("link", "core"):
            continue
        url = argument_node(directive, "url") or argument_node(directive, "feature")
        if not isinstance(url, StringValueNode):
            raise LinkRefused("INVALID_LINK_DIRECTIVE_USAGE", "@link needs a url in text.")
        alias = argument(directive, "as")
        links.append(
            Link(
                url=url.value.rstrip("/"),
                alias=alias if isinstance(alias, str) else None,
                imports=_imports(argument(directive, "import")),
            )
        )
    return tuple(links)


def _imports(given: object) -> tuple[tuple[str, str], ...]:
    imports: list[tuple[str, str]] = []
    for item in given if isinstance(given, list) else ():
        match item:
            case str():
                imports.append((item, item))
            case {"name": str(name), **rest}:
                renamed = rest.get("as") or name
                if not isinstance(renamed, str) or name.startswith("@") != renamed.startswith("@"):
                    raise LinkRefused(
                        "INVALID_LINK_DIRECTIVE_USAGE",
                        f'Import "{name}" can not be renamed to {renamed!r}:'
                        ' a directive stays a directive, with its "@".',
                    )
                imports.append((name, renamed))
            case _:
                raise LinkRefused(
                    "INVALID_LINK_DIRECTIVE_USAGE",
                    f"Each import of @link is a name or {{name, as}}; got {item!r}.",
                )
    return tuple(imports)


def read_names(document: DocumentNode) -> Names:
    """What the document calls the federation's directives.

    Raises:
        LinkRefused: an unknown version or import, or a feature this composer does not know.
    """
    links = read_links(document)
    federation = [link for link in links if link.url.rsplit("/", 1)[0] == FEDERATION]
    if not federation:
        meanings = {name: name for name in FEDERATION_1_DIRECTIVES}
    else:
        _check_version(federation[0].url)
        meanings = _meanings(federation[0])
    for link in links:
        spec = link.url.removeprefix("https://specs.apollo.dev/").split("/")[0]
        if spec in UNSUPPORTED_SPECS:
            raise LinkRefused("UNSUPPORTED_FEATURE", f'"{link.url}" is not supported.')
        if spec in STANDALONE_SPECS:
            meanings[link.alias or spec] = spec
    return Names(meanings, links, is_federation_1=not federation)


def _check_version(url: str) -> None:
    match = re.fullmatch(r"v(\d+)\.(\d+)", url.rsplit("/", 1)[1])
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (2, 0) <= version <= VERSION_MAX:
        latest = ".".join(map(str, VERSION_MAX))
        raise LinkRefused(
            "UNKNOWN_FEDERATION_LINK_VERSION",
            f'"{url}" is not a version of the federation from v2.0 to v{latest}.',
        )


def _meanings(link: Link) -> dict[str, str]:
    prefix = link.alias or "federation"
    meanings = {f"{prefix}__{name}": name for name in FEDERATION_DIRECTIVES}
    for name, used_as in link.imports:
        bare = name.removeprefix("@")
        if bare in UNSUPPORTED:
            raise LinkRefused("UNSUPPORTED_FEATURE", f"@{bare} is not supported.")
        if name.startswith("@") and bare not in FEDERATION_DIRECTIVES:
            raise LinkRefused(
                "INVALID_LINK_DIRECTIVE_USAGE",
                f'The federation has no "{name}" to import.',
            )
        if name.startswith("@"):
            meanings[used_as.removeprefix("@")] = bare
    return meanings


def is_machinery(name: str, links: Sequence[Link]) -> bool:
    """Whether a type belongs to the federation itself, not to the subgraph's own schema."""
    if name in ("_Any", "_Entity", "_Service", "_FieldSet", "FieldSet"):
        return True
    prefix, divider, _ = name.partition("__")
    for link in links:
        if link.url.startswith("https://specs.apollo.dev/"):
            spec = link.alias or link.url.rstrip("/").split("/")[-2]
            if (divider and prefix == spec) or name in (used_as for _, used_as in link.imports):
                return True
    return bool(divider) and prefix in ("federation", "link", "core")
