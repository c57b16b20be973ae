"""Puts a resolved operation together into requests, one per subgraph and wave."""

from __future__ import annotations

from collections.abc import Iterable

from graphql import ListTypeNode, NonNullTypeNode, TypeNode

from gateway.federation.graph import Graph
from gateway.federation.planner.choices import FieldPlan, Hop, ObjectPlan
from gateway.federation.planner.drafts import (
    FieldDraft,
    InputDraft,
    Place,
    RepresentationDraft,
    RequestDraft,
    SelectionDraft,
    ShapeDraft,
    Signature,
)
from gateway.federation.selections import Field, Selection


class Places:
    """Where fields lie in the merged data: the same field always under the same key."""

    def __init__(self, graph: Graph) -> None:
        self.root = Place()
        self._graph = graph
        self._shapes: dict[tuple[str, str], tuple[str, int]] = {}

    def key(self, place: Place, type_name: str, field: Field) -> str:
        """The key under which objects of a type at a place hold a field."""
        if field.name == "__typename":
            return "__typename"
        shape, _ = self._shape(type_name, field.name)
        signature: Signature = (field.name, field.arguments, shape)
        return place.key_for(field.response_key, signature)

    def below(self, place: Place, type_name: str, field: Field) -> Place:
        """The place of the objects that a field returns."""
        _, lists = self._shape(type_name, field.name)
        return place.child(self.key(place, type_name, field), lists)

    def _shape(self, type_name: str, field_name: str) -> tuple[str, int]:
        known = self._shapes.get((type_name, field_name))
        if known is None:
            variants = self._graph.type_variants(type_name, field_name)
            written = sorted({_response_shape(variant, self._graph) for variant in variants})
            known = (" ".join(written), written[0].count("["))
            self._shapes[type_name, field_name] = known
        return known


def _response_shape(type_node: TypeNode, graph: Graph) -> str:
    """What decides whether two fields may share a response key: wrappers and leaf types."""
    if isinstance(type_node, NonNullTypeNode):
        return f"{_response_shape(type_node.type, graph)}!"
    if isinstance(type_node, ListTypeNode):
        return f"[{_response_shape(type_node.type, graph)}]"
    name: str = type_node.name.value  # type: ignore[attr-defined]
    return name if graph.kind(name) == "leaf" else ""


class Assembly:
    """The requests of one operation, or of one step of a mutation."""

    def __init__(self, graph: Graph, places: Places) -> None:
        self._graph = graph
        self._places = places
        self._requests: dict[tuple[int, str, Place | None], RequestDraft] = {}
        self._filled: dict[tuple[object, ...], tuple[SelectionDraft, set[RequestDraft]]] = {}

    @property
    def requests(self) -> list[RequestDraft]:
        """All requests, in the order in which they came up."""
        return list(self._requests.values())

    def add_root(self, plan: ObjectPlan) -> None:
        """Adds what a root plan fetches."""
        place = self._places.root
        place.types.add(plan.type_name)
        for hop in plan.hops:
            request = self._request(hop.waves, hop.subgraph)
            request.root = request.root or SelectionDraft(plan.type_name)
            for target in hop.targets:
                self._fill(target, place, request.root, request)

    def _request(self, wave: int, subgraph: str, place: Place | None = None) -> RequestDraft:
        found = self._requests.get((wave, subgraph, place))
        if found is None:
            found = RequestDraft(subgraph, wave, place=place)
            self._requests[wave, subgraph, place] = found
        return found

    def _fill(
        self, plan: ObjectPlan, place: Place, draft: SelectionDraft, request: RequestDraft
    ) -> set[RequestDraft]:
        """Adds a plan to a request's selection; returns the requests it moves on to."""
        place.types.add(plan.type_name)
        visited: set[RequestDraft] = set()
        fields = draft.by_type.setdefault(plan.type_name, {})
        for field_plan in plan.fields:
            if field_plan.field.name != "__typename":
                visited |= self._select(field_plan, plan.type_name, place, fields, request)
        for hop in plan.hops:
            visited |= self._move(hop, plan.type_name, place, draft, request)
        return visited

    def _select(
        self,
        plan: FieldPlan,
        type_name: str,
        place: Place,
        fields: dict[str, FieldDraft],
        request: RequestDraft,
    ) -> set[RequestDraft]:
        field = plan.field
        key = self._places.key(place, type_name, field)
        draft = fields.get(key)
        if draft is None:
            asked = place.aliases.get(key, key)
            draft = FieldDraft(key, asked, field.name, field.arguments, field.variables)
            fields[key] = draft
        if not plan.returns:
            return set()
        visited = self._fill_below(plan, type_name, place, draft, request)
        if visited:
            travellers = place.travellers.setdefault(key, set())
            travellers.update(self._graph.runtime_types(type_name))
        return visited

    def _fill_below(
        self,
        plan: FieldPlan,
        type_name: str,
        place: Place,
        draft: FieldDraft,
        request: RequestDraft,
    ) -> set[RequestDraft]:
        """Fills a field's selection; sibling types with the same plans share one selection.

        Without that, interfaces nested in interfaces would multiply.
        """
        below = self._places.below(place, type_name, plan.field)
        varies = self._varies(type_name, plan)
        identity = (plan.objects, plan.returns, varies, below, request)
        if draft.selection is None and identity in self._filled:
            draft.selection, visited = self._filled[identity]
            return visited
        if draft.selection is None:
            draft.selection = SelectionDraft(plan.returns, with_typename=varies)
            below.selections.append(draft.selection)
        visited = set()
        for object_plan in plan.objects:
            visited |= self._fill(object_plan, below, draft.selection, request)
        self._filled.setdefault(identity, (draft.selection, visited))
        return visited

    def _varies(self, type_name: str, plan: FieldPlan) -> bool:
        """Whether the runtime type of a field's objects is known only from the answer."""
        merged = self._graph.merged_named_type(type_name, plan.field.name)
        return self._graph.is_abstract(plan.returns) or self._graph.is_abstract(merged)

    def _move(
        self,
        hop: Hop,
        type_name: str,
        place: Place,
        draft: SelectionDraft,
        request: RequestDraft,
    ) -> set[RequestDraft]:
        if not hop.representation:
            return self._ask_root_again(hop, type_name, place, request)
        target = self._request(request.wave + hop.waves, hop.subgraph)
        visited = self._fill(hop.conditions, place, draft, request)
        target.needs |= {request} | visited
        draft.with_typename = True
        arriving = self._input(hop, type_name, place, target)
        for plan in hop.targets:
            arrival = arriving.selection
            if plan.type_name != type_name:
                arrival = arriving.concrete.setdefault(
                    type_name, SelectionDraft(type_name, with_typename=True)
                )
            visited |= self._fill(plan, place, arrival, target)
        return visited | {target}

    def _ask_root_again(
        self, hop: Hop, type_name: str, place: Place, request: RequestDraft
    ) -> set[RequestDraft]:
        """Asks another subgraph for fields of the query root, met below another field."""
        target = self._request(request.wave + hop.waves, hop.subgraph, place)
        target.root = target.root or SelectionDraft(type_name)
        target.needs.add(request)
        visited = {target}
        for plan in hop.targets:
            visited |= self._fill(plan, place, target.root, target)
        return visited

    def _input(self, hop: Hop, type_name: str, place: Place, target: RequestDraft) -> InputDraft:
        key, *_ = hop.representation
        shape = ShapeDraft(
            typenames=frozenset(self._graph.runtime_types(type_name)),
            sent_type=hop.sent_type or (type_name if self._graph.is_abstract(type_name) else ""),
            key_names=frozenset(field.name for field in key.fields(type_name)),
            fields=self._representation(hop.representation, [type_name], place)[type_name],
        )
        return target.input_at(place, {type_name: shape})

    def _representation(
        self, selections: Iterable[Selection], types: Iterable[str], place: Place
    ) -> dict[str, dict[str, RepresentationDraft]]:
        by_type: dict[str, dict[str, RepresentationDraft]] = {}
        chosen = list(selections)
        for type_name in types:
            drafts = by_type.setdefault(type_name, {})
            for selection in chosen:
                for field in selection.fields(type_name):
                    made = self._represented(field, type_name, place)
                    known = drafts.setdefault(field.name, made)
                    if known is not made:
                        known.absorb(made)
        return by_type

    def _represented(self, field: Field, type_name: str, place: Place) -> RepresentationDraft:
        draft = RepresentationDraft(field.name, self._places.key(place, type_name, field))
        if field.selection is not None:
            returns = self._graph.merged_named_type(type_name, field.name)
            below = self._places.below(place, type_name, field)
            types = sorted(below.types) if self._graph.is_abstract(returns) else [returns]
            draft.by_type = self._representation([field.selection], types, below)
            if self._graph.is_abstract(returns):
                for fields in draft.by_type.values():
                    fields["__typename"] = RepresentationDraft("__typename", "__typename")
        return draft
