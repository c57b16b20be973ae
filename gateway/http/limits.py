"""Refuses documents that ask too much, before they are validated or run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.federation.faults import Fault, RequestRefused

_NESTING_PER_DEPTH = 4
"""Selections that may be nested per level of depth: inline fragments and spreads add none."""


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """What one document may ask; `check` goes to the engine.

    Attributes:
        depth_max: fields inside one another.
        fields_max: fields of one operation, each fragment counted wherever it is spread.
        root_fields_max: fields at the root, counted likewise.
        aliases_max: fields with an alias, counted likewise.
        operations_max: operations in the document.
        document_chars_max: length of the text.
        tokens_max: length of the text in tokens; the engine's parser keeps it.
    """

    depth_max: int = 15
    fields_max: int = 1_000
    root_fields_max: int = 50
    aliases_max: int = 200
    operations_max: int = 20
    document_chars_max: int = 200_000
    tokens_max: int = 20_000

    def check(self, document: DocumentNode) -> None:
        """Nothing, when every operation of the document keeps every limit.

        Raises:
            RequestRefused: with the code of the limit that is broken.
        """
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        if len(operations) > self.operations_max:
            raise _refused("OPERATION_TOO_LARGE", "operations in a document", self.operations_max)
        fragments = {
            d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
        }
        measure = _Measure(fragments, nesting_max=self.depth_max * _NESTING_PER_DEPTH)
        for operation in operations:
            self._check_size(measure.of(operation.selection_set))

    def check_text(self, text: str) -> None:
        """Nothing, when the text may be parsed.

        Raises:
            RequestRefused: it is too long.
        """
        if len(text) > self.document_chars_max:
            raise _refused("DOCUMENT_TOO_LARGE", "characters", self.document_chars_max)

    def _check_size(self, size: _Size) -> None:
        if size.depth > self.depth_max:
            raise _refused("OPERATION_TOO_DEEP", "levels of fields", self.depth_max)
        if size.root_fields > self.root_fields_max:
            raise _refused("OPERATION_TOO_LARGE", "root fields", self.root_fields_max)
        if size.aliases > self.aliases_max:
            raise _refused("OPERATION_TOO_LARGE", "aliases", self.aliases_max)
        if size.fields > self.fields_max:
            raise _refused("OPERATION_TOO_LARGE", "fields", self.fields_max)


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """What one endpoint takes.

    Attributes:
        body_bytes_max: longest request body.
        deadline_ms_max: longest time that an answer may take, and the time it is given when the
            client does not say.
        concurrent_max: requests that have arrived and are answered at once; more are refused, to
            be repeated later.
        operation: what one document may ask.
    """

    body_bytes_max: int = 1_048_576
    deadline_ms_max: int = 30_000
    concurrent_max: int = 512
    operation: OperationLimits = OperationLimits()


@dataclass(slots=True)
class _Size:
    """Counts of one selection set, with all that lies below it."""

    depth: int = 0
    fields: int = 0
    root_fields: int = 0
    aliases: int = 0

    def add(self, other: _Size) -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.root_fields += other.root_fields
        self.aliases += other.aliases


class _Measure:
    """Counts selections; each fragment once, however often it is spread."""

    def __init__(
        self, fragments: Mapping[str, FragmentDefinitionNode], *, nesting_max: int
    ) -> None:
        self._fragments = fragments
        self._nesting_max = nesting_max
        self._known: dict[str, _Size] = {}

    def of(self, selection_set: SelectionSetNode, nesting: int = 1) -> _Size:
        """The size of a selection set.

        Raises:
            RequestRefused: selections lie too deep in one another to be counted at all.
        """
        if nesting > self._nesting_max:
            raise _refused("OPERATION_TOO_DEEP", "selections in one another", self._nesting_max)
        size = _Size()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                size.add(self._of_field(selection, nesting))
            elif isinstance(selection, FragmentSpreadNode):
                size.add(self._of_fragment(selection.name.value, nesting))
            elif isinstance(selection, InlineFragmentNode):
                size.add(self.of(selection.selection_set, nesting + 1))
        return size

    def _of_field(self, node: FieldNode, nesting: int) -> _Size:
        size = _Size(depth=1, fields=1, root_fields=1, aliases=int(node.alias is not None))
        if node.selection_set is not None:
            below = self.of(node.selection_set, nesting + 1)
            size.depth += below.depth
            size.fields += below.fields
            size.aliases += below.aliases
        return size

    def _of_fragment(self, name: str, nesting: int) -> _Size:
        known = self._known.get(name)
        if known is None:
            fragment = self._fragments.get(name)
            # An unknown fragment, and one that spreads itself, are left to validation.
            self._known[name] = _Size()
            known = self.of(fragment.selection_set, nesting + 1) if fragment else _Size()
            self._known[name] = known
        return known


def _refused(code: str, what: str, most: int) -> RequestRefused:
    return RequestRefused([Fault(f"At most {most} {what} are taken.", code)])
