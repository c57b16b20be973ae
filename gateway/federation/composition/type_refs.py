"""The one type that fits what several subgraphs say of a field or argument."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from gateway.federation.subgraph import Kind, ListRef, NamedRef, NonNullRef, Subgraph, TypeRef

IsSubtype = Callable[[str, str], bool]


def subtypes_of(subgraphs: Iterable[Subgraph]) -> IsSubtype:
    """A test whether one named type is always also another, in some subgraph's words."""
    known: set[tuple[str, str]] = set()
    for subgraph in subgraphs:
        for declared in subgraph.types.values():
            known |= {(declared.name, interface) for interface in declared.interfaces}
            if declared.kind is Kind.UNION:
                known |= {(member, declared.name) for member in declared.members}
    return lambda name, wider: name == wider or (name, wider) in known


def fits(ref: TypeRef, wider: TypeRef, is_subtype: IsSubtype) -> bool:
    """Whether every value of `ref` is a value of `wider`."""
    if isinstance(wider, NonNullRef):
        return isinstance(ref, NonNullRef) and fits(ref.of, wider.of, is_subtype)
    if isinstance(ref, NonNullRef):
        return fits(ref.of, wider, is_subtype)
    if isinstance(ref, ListRef) and isinstance(wider, ListRef):
        return fits(ref.of, wider.of, is_subtype)
    if isinstance(ref, NamedRef) and isinstance(wider, NamedRef):
        return is_subtype(ref.name, wider.name)
    return False


def output_type(refs: Sequence[TypeRef], is_subtype: IsSubtype) -> TypeRef | None:
    """The widest of the types, when every other is a case of it; else None."""
    return _extreme(refs, lambda ref, other: fits(other, ref, is_subtype))


def input_type(refs: Sequence[TypeRef]) -> TypeRef | None:
    """The strictest of the types, when it satisfies every other; else None."""
    return _extreme(refs, lambda ref, other: fits(ref, other, lambda one, two: one == two))


def _extreme(refs: Sequence[TypeRef], bounds: Callable[[TypeRef, TypeRef], bool]) -> TypeRef | None:
    for ref in refs:
        if all(bounds(ref, other) for other in refs):
            return ref
    return None
