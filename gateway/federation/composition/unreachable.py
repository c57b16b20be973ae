"""Says why a field can not be reached: which subgraphs have it, and what keeps others out."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.federation.composition.conflicts import named
from gateway.federation.composition.merged import MergedField, MergedType, Supergraph
from gateway.federation.composition.routes import Routes, Stand, Stands
from gateway.federation.composition.sources import Sources
from gateway.federation.subgraph import Field, Subgraph, SubgraphType


@dataclass(frozen=True, slots=True)
class Concerned:
    """Subgraphs where the value can be held, and subgraphs that answer the field."""

    standing: tuple[str, ...]
    owning: tuple[str, ...]

    @property
    def here(self) -> str:
        """The standing ones, quoted."""
        return named(self.standing)


def explain(
    supergraph: Supergraph,
    sources: Sources,
    routes: Routes,
    merged: MergedType,
    field: MergedField,
    reached: Stands,
) -> tuple[list[str], Concerned]:
    """One line per subgraph that answers the field, and the subgraphs concerned."""
    reasons = []
    owning = []
    for subgraph in supergraph.subgraphs:
        for name in (merged.name, *merged.interfaces):
            declared = subgraph.types.get(name)
            if declared is None or (name != merged.name and not declared.is_interface_object):
                continue
            own = declared.fields.get(field.name)
            place = (name, field.name)
            if own is None or own.external or sources.is_taken(subgraph.name, place):
                continue
            owning.append(subgraph.name)
            stand = Stand(subgraph.name, name)
            reasons.append(_reason(routes, merged.name, subgraph, declared, own, stand, reached))
    standing = tuple(sorted({stand.subgraph for stand in reached}))
    return reasons, Concerned(standing, tuple(owning))


def _reason(
    routes: Routes,
    type_name: str,
    subgraph: Subgraph,
    declared: SubgraphType,
    own: Field,
    stand: Stand,
    reached: Stands,
) -> str:
    where = f'- subgraph "{subgraph.name}" answers "{declared.name}.{own.name}", but'
    if any(one.subgraph == stand.subgraph and one.type == stand.type for one in reached):
        if own.requires and not routes.can_return(type_name, stand, reached):
            return f"{where} has no usable @key to come back with what it requires."
        if own.requires:
            return f'{where} what it requires, "{own.requires}", can not be had.'
        return f"{where} not for every object behind it."
    keys = [key for key in declared.keys if key.resolvable]
    if not declared.keys:
        return f'{where} its "{declared.name}" has no @key.'
    if not keys:
        return f'{where} no @key of its "{declared.name}" is resolvable.'
    lacking = [f'"{key.fields}"' for key in keys]
    return f"{where} no key of it can be had: {', '.join(lacking)}."
