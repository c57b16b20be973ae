"""Links, directives and scalars that a supergraph declares about itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.federation.composition.merged import FieldOwner, MergedType, Supergraph
from gateway.federation.composition.retained import Retained
from gateway.federation.subgraph import Markers

_TYPE_PLACES = "OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR"
_JOIN_FIELD = (
    "graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String,"
    " external: Boolean, override: String, usedOverridden: Boolean"
)
_EVERYWHERE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM"
    " | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_GUARDED = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"

_LINK_PURPOSE = '''enum link__Purpose {
  """
  `SECURITY` features provide metadata necessary to securely resolve fields.
  """
  SECURITY

  """
  `EXECUTION` features provide metadata necessary for operation execution.
  """
  EXECUTION
}'''


@dataclass(frozen=True, slots=True)
class Machinery:
    """Everything of a supergraph's SDL that is not a type of its subgraphs.

    Attributes:
        links: applications of `@link`.
        directives: definitions without the word `directive`.
        scalars: names.
        link_purpose: definition of the enum.
    """

    links: tuple[str, ...]
    directives: tuple[str, ...]
    scalars: tuple[str, ...]
    link_purpose: str = _LINK_PURPOSE


@dataclass(frozen=True, slots=True)
class _Feature:
    """A specification that is linked to when its directive is used."""

    link: str
    directive: str
    scalar: str | None = None


_SECURITY = ", for: SECURITY"
_FEATURES = {
    "inaccessible": _Feature(f"inaccessible/v0.2{_SECURITY}", f"@inaccessible on {_EVERYWHERE}"),
    "tag": _Feature("tag/v0.3", f"@tag(name: String!) repeatable on {_EVERYWHERE} | SCHEMA"),
    "authenticated": _Feature(f"authenticated/v0.1{_SECURITY}", f"@authenticated on {_GUARDED}"),
    "requiresScopes": _Feature(
        f"requiresScopes/v0.1{_SECURITY}",
        f"@requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on {_GUARDED}",
        "requiresScopes__Scope",
    ),
    "policy": _Feature(
        f"policy/v0.1{_SECURITY}",
        f"@policy(policies: [[policy__Policy!]!]!) on {_GUARDED}",
        "policy__Policy",
    ),
}


def find_machinery(supergraph: Supergraph, retained: Retained) -> Machinery:
    """Links and definitions for exactly what the supergraph uses."""
    features = [_FEATURES[name] for name in _used_features(supergraph)]
    has_labels = any(owner.override_label for owner in _field_owners(supergraph))
    join_version = "v0.4" if has_labels else "v0.3"
    links = [
        _link("link/v1.0"),
        _link(f"join/{join_version}", ", for: EXECUTION"),
        *(_link(*feature.link.split(", ", 1)) for feature in features),
        *retained.links,
    ]
    directives = [
        *_join_directives(has_labels),
        "@link(url: String, as: String, for: link__Purpose, import: [link__Import])"
        " repeatable on SCHEMA",
        *(feature.directive for feature in features),
        *(["@oneOf on INPUT_OBJECT"] if _needs_one_of(supergraph, retained) else []),
        *retained.definitions,
    ]
    scalars = [
        *(["join__DirectiveArguments"] if has_labels else []),
        "join__FieldSet",
        "link__Import",
        *(feature.scalar for feature in features if feature.scalar),
    ]
    return Machinery(tuple(links), tuple(sorted(directives)), tuple(sorted(scalars)))


def _link(path: str, purpose: str = "") -> str:
    if purpose and not purpose.startswith(", "):
        purpose = f", {purpose}"
    return f'@link(url: "https://specs.apollo.dev/{path}"{purpose})'


def _join_directives(has_labels: bool) -> Iterator[str]:
    label = ", overrideLabel: String" if has_labels else ""
    yield "@join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE"
    yield (
        f"@join__field({_JOIN_FIELD}{label})"
        " repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
    )
    yield "@join__graph(name: String!, url: String!) on ENUM_VALUE"
    yield (
        "@join__implements(graph: join__Graph!, interface: String!)"
        " repeatable on OBJECT | INTERFACE"
    )
    yield (
        "@join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false,"
        " resolvable: Boolean! = true, isInterfaceObject: Boolean! = false)"
        f" repeatable on {_TYPE_PLACES}"
    )
    yield "@join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION"
    if has_labels:
        yield (
            "@join__directive(graphs: [join__Graph!], name: String!,"
            " args: join__DirectiveArguments)"
            " repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION"
        )


def _used_features(supergraph: Supergraph) -> list[str]:
    used: set[str] = set()
    for markers in _all_markers(supergraph):
        given = {
            "inaccessible": markers.inaccessible,
            "tag": bool(markers.tags),
            "authenticated": markers.authenticated,
            "requiresScopes": markers.scopes is not None,
            "policy": markers.policies is not None,
        }
        used |= {name for name, is_given in given.items() if is_given}
    return [name for name in _FEATURES if name in used]


def _needs_one_of(supergraph: Supergraph, retained: Retained) -> bool:
    """GraphQL knows it, but not every version that reads the supergraph; some compose it."""
    is_used = any(merged.markers.one_of for merged in supergraph.types.values())
    return is_used and "oneOf" not in retained.repeatable_by_name


def _all_markers(supergraph: Supergraph) -> Iterator[Markers]:
    for merged in supergraph.types.values():
        yield merged.markers
        yield from _field_markers(merged)


def _field_markers(merged: MergedType) -> Iterator[Markers]:
    for field in merged.fields.values():
        yield field.markers
        for argument in field.arguments.values():
            yield argument.markers
    for input_field in merged.input_fields.values():
        yield input_field.value.markers
    for value in merged.values.values():
        yield value.markers


def _field_owners(supergraph: Supergraph) -> Iterator[FieldOwner]:
    for merged in supergraph.types.values():
        for field in merged.fields.values():
            yield from field.owners
