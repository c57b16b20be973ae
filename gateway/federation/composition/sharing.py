"""Checks that only shareable fields are answered by more than one subgraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.federation.composition.conflicts import named
from gateway.federation.composition.merged import MergedType, Supergraph
from gateway.federation.composition.sources import Place, Sources
from gateway.federation.subgraph import Kind, Subgraph, SubgraphType


@dataclass(frozen=True, slots=True)
class _Answer:
    """A subgraph that answers a field, by the object or by an interface object it is part of."""

    subgraph: str
    is_shareable: bool
    through: str | None = None

    @property
    def spelled(self) -> str:
        via = f' (through interface object "{self.through}")' if self.through else ""
        return f'"{self.subgraph}"{via}'


def check_sharing(supergraph: Supergraph, sources: Sources) -> None:
    """Notes fields of objects that several subgraphs answer without saying that they may."""
    for merged in supergraph.types.values():
        is_object = merged.kind is Kind.OBJECT
        lends = any(owner.is_interface_object for owner in merged.owners)
        if not is_object and not lends:
            continue
        for name in merged.fields:
            answers = list(_answers(sources, merged, name))
            if merged.name == "Subscription":
                _check_subscription(sources, name, answers)
            elif len(answers) > 1 and not all(one.is_shareable for one in answers):
                _note(sources, f"{merged.name}.{name}", answers)


def _answers(sources: Sources, merged: MergedType, field: str) -> Iterator[_Answer]:
    for subgraph in sources.subgraphs:
        for type_name in (merged.name, *merged.interfaces):
            declared = subgraph.types.get(type_name)
            if declared is None or field not in declared.fields:
                continue
            borrows = type_name != merged.name
            if (borrows or merged.kind is Kind.INTERFACE) and not declared.is_interface_object:
                continue
            through = type_name if borrows else None
            yield from _answer(sources, subgraph, declared, (type_name, field), through)


def _answer(
    sources: Sources,
    subgraph: Subgraph,
    declared: SubgraphType,
    place: Place,
    through: str | None,
) -> Iterator[_Answer]:
    uses = sources.uses[subgraph.name]
    field = declared.fields[place[1]]
    is_provided = place in uses.in_provides
    is_taken = (subgraph.name, *place) in sources.overridden
    if is_taken or (field.external and not is_provided):
        return
    is_shareable = field.shareable or is_provided or place in uses.in_keys
    yield _Answer(subgraph.name, is_shareable, through)


def _note(sources: Sources, at: str, answers: Sequence[_Answer]) -> None:
    spelled = ", ".join(one.spelled for one in answers)
    unshared = named(one.subgraph for one in answers if not one.is_shareable)
    sources.findings.conflict(
        "INVALID_FIELD_SHARING",
        f'"{at}" is answered by subgraphs {spelled}, but is not @shareable in {unshared}.',
        subgraphs=(one.subgraph for one in answers),
        at=at,
        hint="Mark it @shareable everywhere if all give the same answer, or rename one.",
    )


def _check_subscription(sources: Sources, name: str, answers: Sequence[_Answer]) -> None:
    at = f"Subscription.{name}"
    declared = {subgraph.name: one for subgraph, one in sources.declaring("Subscription")}
    shared = [
        answer.subgraph for answer in answers if declared[answer.subgraph].fields[name].shareable
    ]
    old = {subgraph.name for subgraph in sources.subgraphs if subgraph.is_federation_1}
    if set(shared) - old or len(answers) > 1:
        sources.findings.conflict(
            "INVALID_FIELD_SHARING",
            f'"{at}" belongs to one subgraph alone, but is answered or marked @shareable by'
            f" {named(answer.subgraph for answer in answers)}.",
            subgraphs=(answer.subgraph for answer in answers),
            at=at,
        )
