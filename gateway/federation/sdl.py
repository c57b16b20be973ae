"""A subgraph's SDL, read into its types, keys and owners, or every fault found in it."""

from __future__ import annotations

from dataclasses import dataclass

from graphql import (
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

from gateway.federation.links import LinkRefused, Names, argument, read_names, schema_directives
from gateway.federation.sdl_directives import (
    Element,
    directives_of,
    field_set_text,
    read_key,
    read_markers,
    read_override,
    top_level_of,
    unspelled_field_sets,
)
from gateway.federation.sdl_document import misused_root_names, normalise_document, schema_faults
from gateway.federation.subgraph import (
    EnumValue,
    Field,
    InputValue,
    Kind,
    Subgraph,
    SubgraphType,
    type_ref,
)

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
        document = parse(sdl)
        names = read_names(document)
    except GraphQLError as error:
        raise SdlRefused((SdlFault("INVALID_GRAPHQL", _with_line(error)),)) from error
    except LinkRefused as error:
        raise SdlRefused((SdlFault(error.code, error.message),)) from error
    normal = normalise_document(document, names)
    faults = _faults(document, normal.document, names)
    if faults:
        raise SdlRefused(faults)
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


def _faults(document: DocumentNode, normal: DocumentNode, names: Names) -> tuple[SdlFault, ...]:
    misused = tuple(
        SdlFault(
            f"ROOT_{name.upper()}_USED",
            f'There is a type "{name}", but "{actual}" is the root for it.',
            coordinate=name,
        )
        for name, actual in misused_root_names(document)
    )
    if misused:
        return misused
    unspelled = tuple(
        SdlFault(
            f"{name.upper()}_INVALID_FIELDS_TYPE",
            f'The fields of @{name} on "{at}" must be a text in quotes.',
            coordinate=at,
        )
        for name, at in unspelled_field_sets(normal, names)
    )
    invalid = tuple(
        SdlFault("INVALID_GRAPHQL", _with_line(fault), _coordinate(normal, fault))
        for fault in schema_faults(normal, names)
    )
    return unspelled + invalid


def _with_line(error: GraphQLError) -> str:
    where = f" (line {error.locations[0].line})" if error.locations else ""
    return f"{error.message}{where}"


def _coordinate(document: DocumentNode, error: GraphQLError) -> str | None:
    """The type, and its field if it is one, that the error lies in."""
    if not error.positions:
        return None
    position = min(error.positions)
    within = None
    for node in document.definitions:
        if not isinstance(node, TypeDefinitionNode):
            continue
        if node.loc and node.loc.start <= position <= node.loc.end:
            within = node.name.value
        # A field may come from an extension, and so lie outside of its type.
        for one in getattr(node, "fields", None) or ():
            if one.loc and one.loc.start <= position <= one.loc.end:
                return f"{node.name.value}.{one.name.value}"
    return within


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
        directives = directives_of(node, self._names)
        kind = _KIND_BY_NODE[type(node)]
        is_extension = name in self._extended or "extends" in directives
        keys = tuple(read_key(one) for one in directives.get("key", ()))
        if self._names.is_federation_1 and kind is Kind.INTERFACE:
            keys = ()  # Federation 1 took keys on interfaces, and gave them no meaning.
        local_keys = top_level_of(keys) if is_extension else frozenset()
        shareable = "shareable" in directives
        external = "external" in directives
        return SubgraphType(
            name=name,
            kind=kind,
            description=_description(node),
            markers=read_markers(directives),
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
        directives = directives_of(node, self._names)
        name = node.name.value
        return Field(
            name=name,
            type=type_ref(node.type),
            arguments={one.name.value: self._input_value(one) for one in node.arguments or ()},
            description=_description(node),
            markers=read_markers(directives),
            # On an extension, `@external` on a key field is the old spelling of a key the
            # subgraph knows by itself.
            external=(external or "external" in directives) and name not in local_keys,
            requires=field_set_text(directives, "requires"),
            provides=field_set_text(directives, "provides"),
            shareable=shareable or "shareable" in directives or self._names.is_federation_1,
            override=read_override(directives),
        )

    def _input_value(self, node: InputValueDefinitionNode) -> InputValue:
        return InputValue(
            name=node.name.value,
            type=type_ref(node.type),
            default=None if node.default_value is None else print_ast(node.default_value),
            description=_description(node),
            markers=read_markers(directives_of(node, self._names)),
        )

    def _enum_value(self, node: EnumValueDefinitionNode) -> EnumValue:
        return EnumValue(
            name=node.name.value,
            description=_description(node),
            markers=read_markers(directives_of(node, self._names)),
        )


def _description(node: Element) -> str | None:
    return node.description.value if node.description else None
