"""What stands between subgraphs and a supergraph: conflicts, and hints that stop nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """One reason why the subgraphs do not compose.

    Attributes:
        code: Apollo's code for it, FIELD_TYPE_MISMATCH.
        message: one or more sentences that name subgraph, type and field.
        subgraphs: names of those concerned, sorted.
        coordinate: `Type`, `Type.field` or `Type.field(argument:)`; empty for the whole schema.
        hint: what would settle it; empty when that is plain.
    """

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinate: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Hint:
    """Something that composes and is still worth a look."""

    code: str
    message: str
    subgraphs: tuple[str, ...] = ()
    coordinate: str = ""


class CompositionFailed(Exception):
    """The subgraphs do not compose; holds every conflict found."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = tuple(sorted(conflicts))
        super().__init__("\n".join(f"{one.code}: {one.message}" for one in self.conflicts))


class Findings:
    """Gathers conflicts and hints while the composition goes on."""

    def __init__(self) -> None:
        self._conflicts: dict[Conflict, None] = {}
        self._hints: dict[Hint, None] = {}

    def conflict(
        self,
        code: str,
        message: str,
        *,
        subgraphs: Iterable[str] = (),
        at: str = "",
        hint: str = "",
    ) -> None:
        """Notes a conflict; the same one twice counts once."""
        self._conflicts[Conflict(code, message, tuple(sorted(set(subgraphs))), at, hint)] = None

    def hint(self, code: str, message: str, *, subgraphs: Iterable[str] = (), at: str = "") -> None:
        """Notes a hint; the same one twice counts once."""
        self._hints[Hint(code, message, tuple(sorted(set(subgraphs))), at)] = None

    def refuse_if_any(self) -> None:
        """Raises CompositionFailed when a conflict was noted."""
        if self._conflicts:
            raise CompositionFailed(self._conflicts)

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Hints noted so far, sorted."""
        return tuple(sorted(self._hints))


def spelled(kinds: Iterable[tuple[str, object]]) -> str:
    """Pairs of subgraph and what it says, as a clause: `"Int" in subgraph "a", …`."""
    return ", ".join(f'"{what}" in subgraph "{subgraph}"' for subgraph, what in kinds)


def named(subgraphs: Iterable[str]) -> str:
    """Names of subgraphs, quoted and sorted."""
    return ", ".join(f'"{name}"' for name in sorted(set(subgraphs)))
