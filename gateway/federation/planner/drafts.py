"""Requests while they are put together: places of the merged data, documents, inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from gateway.federation.plan import Each, Key, OnTypes, Segment

Signature = tuple[str, str, str]
"""What a key of the merged data holds: field name, printed arguments, shape of its type."""


_TYPENAME: Signature = ("__typename", "", "String!")


@dataclass(slots=True, eq=False)
class Place:
    """Objects at one path of the merged data.

    Attributes:
        parent: None for the root.
        key: key in the parent's objects.
        lists: how many lists lie between the key and the objects.
        types: runtime types that may stand here.
        keys: what each key of these objects holds, for all their types alike.
        aliases: keys that differ from what was asked for -> what was asked for.
        travellers: by key, the runtime types here below which objects move on.
        selections: what requests select of these objects.
    """

    parent: Place | None = None
    key: str = ""
    lists: int = 0
    types: set[str] = field(default_factory=set)
    keys: dict[str, Signature] = field(default_factory=lambda: {"__typename": _TYPENAME})
    aliases: dict[str, str] = field(default_factory=dict)
    children: dict[str, Place] = field(default_factory=dict)
    travellers: dict[str, set[str]] = field(default_factory=dict)
    selections: list[SelectionDraft] = field(default_factory=list)

    def key_for(self, preferred: str, signature: Signature) -> str:
        """The key that holds this here: the preferred one unless it holds something else."""
        if self.keys.setdefault(preferred, signature) == signature:
            return preferred
        for key, known in self.keys.items():
            if known == signature and self.aliases.get(key) == preferred:
                return key
        alias = next(
            key for number in count(1) if (key := f"{preferred}__{number}") not in self.keys
        )
        self.keys[alias] = signature
        self.aliases[alias] = preferred
        return alias

    def child(self, key: str, lists: int) -> Place:
        """The place of the objects under a key."""
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = Place(self, key, lists)
        return found

    def select_needed_typenames(self) -> None:
        """Selects `__typename` wherever a path leads on through some types only."""
        if not all(through >= self.types for through in self.travellers.values()):
            for selection in self.selections:
                selection.with_typename = True
        for child in self.children.values():
            child.select_needed_typenames()

    def path(self) -> tuple[Segment, ...]:
        """From the root to the objects, through those types only that lead on."""
        if self.parent is None:
            return ()
        parent = self.parent
        through = parent.travellers.get(self.key, parent.types)
        filtered = () if through >= parent.types else (OnTypes(frozenset(through)),)
        return (*parent.path(), *filtered, Key(self.key), *[Each()] * self.lists)


@dataclass(slots=True, eq=False)
class FieldDraft:
    """A field of a request's document.

    Attributes:
        key: response key in the document.
        asked: response key that whoever asked expects.
    """

    key: str
    asked: str
    name: str
    arguments: str
    variables: frozenset[str]
    selection: SelectionDraft | None = None


@dataclass(slots=True, eq=False)
class SelectionDraft:
    """A selection of a request's document, by runtime type.

    Attributes:
        returns: named type in the subgraph; empty directly below `_entities`.
        with_typename: select `__typename` as well.
    """

    returns: str
    with_typename: bool = False
    by_type: dict[str, dict[str, FieldDraft]] = field(default_factory=dict)

    def absorb(self, other: SelectionDraft) -> None:
        """Adds all that another selection of the same place selects."""
        if other is self:
            return
        self.with_typename = self.with_typename or other.with_typename
        for type_name, fields in other.by_type.items():
            mine = self.by_type.setdefault(type_name, {})
            for key, draft in fields.items():
                known = mine.setdefault(key, draft)
                if known is not draft and known.selection and draft.selection:
                    known.selection.absorb(draft.selection)


@dataclass(slots=True, eq=False)
class RepresentationDraft:
    """One field of a representation; `by_type` is empty for leaves."""

    name: str
    source: str
    by_type: dict[str, dict[str, RepresentationDraft]] = field(default_factory=dict)

    def fits(self, other: RepresentationDraft) -> bool:
        """Whether one value can serve as both."""
        return self.source == other.source and all(
            fit_together(fields, other.by_type.get(type_name, {}))
            for type_name, fields in self.by_type.items()
        )

    def absorb(self, other: RepresentationDraft) -> None:
        """Adds the fields of another draft that fits."""
        for type_name, fields in other.by_type.items():
            merge_representations(self.by_type.setdefault(type_name, {}), fields)


def fit_together(
    mine: dict[str, RepresentationDraft], theirs: dict[str, RepresentationDraft]
) -> bool:
    """Whether no name would have to hold two values."""
    return all(draft.fits(theirs[name]) for name, draft in mine.items() if name in theirs)


def merge_representations(
    mine: dict[str, RepresentationDraft], theirs: dict[str, RepresentationDraft]
) -> None:
    """Adds representation fields that fit."""
    for name, draft in theirs.items():
        known = mine.setdefault(name, draft)
        if known is not draft:
            known.absorb(draft)


@dataclass(slots=True, eq=False)
class ShapeDraft:
    """How objects planned as one type become representations.

    Attributes:
        typenames: runtime types that they may have.
        sent_type: `__typename` to send; empty for the runtime type.
    """

    typenames: frozenset[str]
    sent_type: str
    key_names: frozenset[str]
    fields: dict[str, RepresentationDraft]

    def fits(self, other: ShapeDraft) -> bool:
        """Whether one representation can serve as both."""
        return (
            self.sent_type == other.sent_type
            and self.key_names == other.key_names
            and fit_together(self.fields, other.fields)
        )

    def stands_beside(self, other: ShapeDraft) -> bool:
        """Whether one input can send both, each for its own types."""
        is_alone = self.sent_type and self.sent_type == other.sent_type
        return not is_alone and self.typenames.isdisjoint(other.typenames)


@dataclass(slots=True, eq=False)
class InputDraft:
    """Entities of one place that one request asks for.

    Attributes:
        concrete: by interface sent, what is asked of its object types once they are known.
    """

    place: Place
    shapes: dict[str, ShapeDraft] = field(default_factory=dict)
    selection: SelectionDraft = field(default_factory=lambda: SelectionDraft(""))
    concrete: dict[str, SelectionDraft] = field(default_factory=dict)

    def takes(self, shapes: dict[str, ShapeDraft]) -> bool:
        """Whether these shapes can be sent along.

        Types that are sent as one interface are kept apart: what is asked of one would be asked
        of all.
        """
        return all(
            known.fits(shape) if type_name == other else known.stands_beside(shape)
            for type_name, known in self.shapes.items()
            for other, shape in shapes.items()
        )

    def add_shapes(self, shapes: dict[str, ShapeDraft]) -> None:
        """Sends these shapes along; they fit."""
        for type_name, shape in shapes.items():
            known = self.shapes.setdefault(type_name, shape)
            if known is not shape:
                merge_representations(known.fields, shape.fields)


@dataclass(slots=True, eq=False)
class RequestDraft:
    """One request to one subgraph in one wave.

    Attributes:
        root: selection of root fields; None when the request is for entities.
        place: where root fields lie; None for the root and for entities.
        needs: requests whose answers its inputs are made of.
    """

    subgraph: str
    wave: int
    root: SelectionDraft | None = None
    place: Place | None = None
    inputs: list[InputDraft] = field(default_factory=list)
    needs: set[RequestDraft] = field(default_factory=set)

    def input_at(self, place: Place, shapes: dict[str, ShapeDraft]) -> InputDraft:
        """The input that sends objects of a place in these shapes."""
        for known in self.inputs:
            if known.place is place and known.takes(shapes):
                known.add_shapes(shapes)
                return known
        made = InputDraft(place, dict(shapes))
        self.inputs.append(made)
        return made

    def absorb(self, other: RequestDraft) -> None:
        """Takes over all inputs of another request to the same subgraph."""
        for theirs in other.inputs:
            mine = self.input_at(theirs.place, theirs.shapes)
            mine.selection.absorb(theirs.selection)
            for interface, selection in theirs.concrete.items():
                known = mine.concrete.setdefault(interface, selection)
                if known is not selection:
                    known.absorb(selection)
        self.needs |= other.needs


def requests_by_wave(requests: Iterable[RequestDraft]) -> list[list[RequestDraft]]:
    """Requests grouped by wave, earliest first."""
    waves: dict[int, list[RequestDraft]] = {}
    for request in requests:
        waves.setdefault(request.wave, []).append(request)
    return [waves[wave] for wave in sorted(waves)]
