"""What Federation 1 left unsaid, said for the composition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.federation.sdl_directives import top_level_of
from gateway.federation.subgraph import Subgraph, SubgraphType


def with_known_keys(subgraphs: Sequence[Subgraph]) -> list[Subgraph]:
    """The subgraphs, where keyless extensions of Federation 1 know the keys they repeat.

    Such an extension marks fields of its owner's key `@external` although it answers them.
    """
    return [
        _with_known_keys(subgraph, subgraphs) if subgraph.is_federation_1 else subgraph
        for subgraph in subgraphs
    ]


def _with_known_keys(subgraph: Subgraph, subgraphs: Sequence[Subgraph]) -> Subgraph:
    types = {}
    for name, declared in subgraph.types.items():
        if declared.is_extension and not declared.keys:
            owners = [other.types[name] for other in subgraphs if name in other.types]
            types[name] = _answering_keys_of(owners, declared)
        else:
            types[name] = declared
    return replace(subgraph, types=types)


def _answering_keys_of(owners: Sequence[SubgraphType], declared: SubgraphType) -> SubgraphType:
    known = top_level_of(tuple(key for owner in owners for key in owner.keys))
    fields = {
        name: replace(field, external=field.external and name not in known)
        for name, field in declared.fields.items()
    }
    return replace(declared, fields=fields)
