"""A subgraph's SDL, read into its types, keys and owners, or every fault found in it."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
    ConstDirectiveNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    print_ast,
)

from gateway.federation.field_sets import FieldSetRefused, parse_field_set, top_level_fields
from gateway.federation.links import LinkRefused, Names, argument, read_names, schema_directives
from gateway.federation.sdl_document import normalise_document, schema_faults
from gateway.federation.subgraph import (
    AppliedDirective,
    EnumValue,
    Field,
    InputValue,
    Key,
    Kind,
    Markers,
    Override,
    ScopeSets,
    Subgraph,
    SubgraphType,
    type_ref,
)

Directives = dict[str, list[ConstDirectiveNode]]

_KIND_BY_NODE: dict[type[TypeDefinitionNode], Kind] = {
    ScalarTypeDefinitionNode: Kind.SCALAR,
    ObjectTypeDefinitionNode: Kind.OBJECT,
    InterfaceTypeDefinitionNode: Kind.INTERFACE,
    UnionTypeDefinitionNode: Kind.UNION,
    EnumTypeDefinitionNode: Kind.ENUM,
    InputObjectTypeDefinitionNode: Kind.INPUT_OBJECT,
}


@dataclass(frozen=True, slots=True)
class SdlFault:
    """One thing that is wrong with a subgraph's SDL."""

    code: str
    message: str
    coordinate: str | None = None


class SdlRefused(Exception):
    """The SDL is not a subgraph schema; holds every fault found."""

    def __init__(self, faults: tuple[SdlFault, ...]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def read_subgraph(sdl: str, *, name: str, url: str) -> Subgraph:
    """The subgraph that an SDL declares.

    Extensions are merged into their types, root types get their usual names, and the federation's
    own directives their usual meaning, whatever the document calls them.

    Raises:
        SdlRefused: it does not parse, a `@link` can not be followed, or the schema is not valid.
    """
    try:
        document = parse(sdl, no_location=False)
        names = read_names(document)
    except GraphQLError as error:
        raise SdlRefused((SdlFault("INVALID_GRAPHQL", _with_line(error)),)) from error
    except LinkRefused as error:
        raise SdlRefused((SdlFault(error.code, error.message),)) from error
    normal = normalise_document(document, names)
    faults = schema_faults(normal.document, names)
    if faults:
        raise SdlRefused(tuple(SdlFault("INVALID_GRAPHQL", _with_line(fault)) for fault in faults))
    reader = _Reader(names, normal.extended)
    types = {
        node.name.value: reader.read_type(node)
        for node in normal.document.definitions
        if isinstance(node, TypeDefinitionNode)
    }
    return Subgraph(
        name=name,
        url=url,
        types={name: one for name, one in sorted(types.items()) if not _is_empty(one)},
        directives=_directive_definitions(document, names),
        links=names.links,
        composed=_composed(document, names),
        is_federation_1=names.is_federation_1,
    )


def _with_line(error: GraphQLError) -> str:
    where = f" (line {error.locations[0].line})" if error.locations else ""
    return f"{error.message}{where}"


def _is_empty(declared: SubgraphType) -> bool:
    return declared.is_root and not declared.fields


def _directive_definitions(
    document: DocumentNode, names: Names
) -> dict[str, DirectiveDefinitionNode]:
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, DirectiveDefinitionNode)
        and node.name.value not in names.meaning_by_directive
        and node.name.value not in ("link", "core")
    }


def _composed(document: DocumentNode, names: Names) -> tuple[str, ...]:
    composed = []
    for directive in schema_directives(document):
        if names.meaning_by_directive.get(directive.name.value) == "composeDirective":
            composed.append(str(argument(directive, "name") or ""))
    return tuple(composed)


class _Reader:
    """Reads definitions whose directives mean what `names` says."""

    def __init__(self, names: Names, extended: frozenset[str]) -> None:
        self._names = names
        self._extended = extended

    def read_type(self, node: TypeDefinitionNode) -> SubgraphType:
        name = node.name.value
        directives = self._directives(node)
        kind = _KIND_BY_NODE[type(node)]
        is_extension = name in self._extended or "extends" in directives
        keys = tuple(_key(one) for one in directives.get("key", ()))
        local_keys = _top_level(keys) if is_extension else frozenset()
        shareable = "shareable" in directives
        external = "external" in directives
        return SubgraphType(
            name=name,
            kind=kind,
            description=_description(node),
            markers=self._markers(directives),
            fields={
                one.name.value: self._field(
                    one, shareable=shareable, external=external, local_keys=local_keys
                )
                for one in getattr(node, "fields", None) or ()
                if kind in (Kind.OBJECT, Kind.INTERFACE)
            },
            input_fields={
                one.name.value: self._input_value(one)
                for one in getattr(node, "fields", None) or ()
                if kind is Kind.INPUT_OBJECT
            },
            values={
                one.name.value: self._enum_value(one) for one in getattr(node, "values", None) or ()
            },
            members=tuple(one.name.value for one in getattr(node, "types", None) or ()),
            interfaces=tuple(one.name.value for one in getattr(node, "interfaces", None) or ()),
            keys=keys,
            is_extension=is_extension,
            is_interface_object="interfaceObject" in directives,
        )

    def _field(
        self,
        node: FieldDefinitionNode,
        *,
        shareable: bool,
        external: bool,
        local_keys: frozenset[str],
    ) -> Field:
        directives = self._directives(node)
        name = node.name.value
        return Field(
            name=name,
            type=type_ref(node.type),
            arguments={one.name.value: self._input_value(one) for one in node.arguments or ()},
            description=_description(node),
            markers=self._markers(directives),
            # On an extension, `@external` on a key field is the old spelling of a key the
            # subgraph knows by itself.
            external=(external or "external" in directives) and name not in local_keys,
            requires=_field_set(directives, "requires"),
            provides=_field_set(directives, "provides"),
            shareable=shareable or "shareable" in directives or self._names.is_federation_1,
            override=_override(directives),
        )

    def _input_value(self, node: InputValueDefinitionNode) -> InputValue:
        return InputValue(
            name=node.name.value,
            type=type_ref(node.type),
            default=None if node.default_value is None else print_ast(node.default_value),
            description=_description(node),
            markers=self._markers(self._directives(node)),
        )

    def _enum_value(self, node: EnumValueDefinitionNode) -> EnumValue:
        return EnumValue(
            name=node.name.value,
            description=_description(node),
            markers=self._markers(self._directives(node)),
        )

    def _directives(
        self,
        node: TypeDefinitionNode
        | FieldDefinitionNode
        | InputValueDefinitionNode
        | EnumValueDefinitionNode,
    ) -> Directives:
        found: Directives = {}
        for directive in node.directives or ():
            used = directive.name.value
            meaning = self._names.meaning_by_directive.get(used)
            # Directives of the subgraph's own keep their `@`, apart from the federation's.
            found.setdefault(meaning or f"@{used}", []).append(directive)
        return found

    def _markers(self, directives: Directives) -> Markers:
        deprecated = directives.get("@deprecated")
        return Markers(
            inaccessible="inaccessible" in directives,
            tags=tuple(sorted({str(argument(one, "name")) for one in directives.get("tag", ())})),
            authenticated="authenticated" in directives,
            scopes=_alternatives(directives, "requiresScopes", "scopes"),
            policies=_alternatives(directives, "policy", "policies"),
            specified_by=_url(directives.get("@specifiedBy")),
            deprecated=None if deprecated is None else _reason(deprecated[0]),
            applied=tuple(
                AppliedDirective(used.removeprefix("@"), print_ast(one))
                for used, given in directives.items()
                for one in given
                if used.startswith("@") and used not in ("@deprecated", "@specifiedBy")
            ),
        )


def _description(
    node: TypeDefinitionNode
    | FieldDefinitionNode
    | InputValueDefinitionNode
    | EnumValueDefinitionNode,
) -> str | None:
    return node.description.value if node.description else None


def _url(specified: list[ConstDirectiveNode] | None) -> str | None:
    url = argument(specified[0], "url") if specified else None
    return url if isinstance(url, str) else None


def _reason(directive: ConstDirectiveNode) -> str:
    reason = argument(directive, "reason")
    return reason if isinstance(reason, str) else "No longer supported"


def _key(directive: ConstDirectiveNode) -> Key:
    return Key(
        fields=_text(argument(directive, "fields")),
        resolvable=argument(directive, "resolvable") is not False,
    )


def _text(value: object) -> str:
    # Federation 1 also took a list of texts.
    if isinstance(value, list):
        return " ".join(map(str, value))
    text = str(value)
    # Within a text or behind a comment, white space means something.
    return text if '"' in text or "#" in text else " ".join(text.split())


def _top_level(keys: tuple[Key, ...]) -> frozenset[str]:
    found: set[str] = set()
    for key in keys:
        try:
            found |= top_level_fields(parse_field_set(key.fields))
        except FieldSetRefused:
            continue  # The check of keys names the fault.
    return frozenset(found)


def _field_set(directives: Directives, name: str) -> str | None:
    given = directives.get(name)
    return _text(argument(given[0], "fields")) if given else None


def _override(directives: Directives) -> Override | None:
    given = directives.get("override")
    if not given:
        return None
    label = argument(given[0], "label")
    return Override(str(argument(given[0], "from")), label if isinstance(label, str) else None)


def _alternatives(directives: Directives, name: str, argument_name: str) -> ScopeSets | None:
    given = directives.get(name)
    if not given:
        return None
    value = argument(given[0], argument_name)
    sets = value if isinstance(value, list) else [value]
    return tuple(
        tuple(str(scope) for scope in (one if isinstance(one, list) else [one])) for one in sets
    )
