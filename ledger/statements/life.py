"""The life of a statement: which step may follow which. Pure.

Source: docs/rules/periods.md, rules 9 to 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.graphql import format_datetime
from kernel.refusals import Refusal

DISPUTABLE = timedelta(days=10)
"""How long after its period was closed a statement can be disputed."""


class State(StrEnum):
    """Where a statement stands."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    DISPUTED = "DISPUTED"
    CONFIRMED = "CONFIRMED"
    PAID = "PAID"


class Step(StrEnum):
    """What can be done with a statement."""

    CONFIRM = "CONFIRM"
    DISPUTE = "DISPUTE"
    RESOLVE = "RESOLVE"
    PAY = "PAY"


_NEXT = {
    (State.ISSUED, Step.CONFIRM): State.CONFIRMED,
    (State.DISPUTED, Step.CONFIRM): State.CONFIRMED,
    (State.ISSUED, Step.DISPUTE): State.DISPUTED,
    (State.DISPUTED, Step.RESOLVE): State.CONFIRMED,
    (State.CONFIRMED, Step.PAY): State.PAID,
    (State.ISSUED, Step.PAY): State.PAID,
}


_STANDS: dict[str, str] = {
    State.DRAFT: "The statement is a draft until its period is closed.",
    State.DISPUTED: "The statement is disputed already.",
    State.CONFIRMED: "The statement is confirmed already.",
    State.PAID: "The statement is paid already.",
}
_WHY_NOT: dict[tuple[str, str], str] = {
    (State.ISSUED, Step.DISPUTE): "The statement could be disputed until `disputableUntil`.",
    (State.ISSUED, Step.RESOLVE): "Nobody disputes the statement.",
    (State.ISSUED, Step.PAY): (
        "The statement can be paid once its merchant confirmed it, or after `disputableUntil`."
    ),
    (State.DISPUTED, Step.PAY): "The statement is disputed: an admin has to resolve that first.",
}
_POSSIBLE_LATER: frozenset[tuple[str, str]] = frozenset(
    {
        *((State.DRAFT, step) for step in Step),
        (State.ISSUED, Step.RESOLVE),
        (State.ISSUED, Step.PAY),
        (State.DISPUTED, Step.PAY),
    }
)


@dataclass(eq=False)
class StatementState(Refusal):
    """The statement stands where this can not be done.

    Attributes:
        state: where it stands.
        disputable_until: RFC 3339; until when it can be disputed, and an ISSUED one not be paid.
            None while it is a draft.
        step: what was asked for.
    """

    state: str
    disputable_until: str | None
    step: str = ""

    @property
    def retryable(self) -> bool:  # type: ignore[override]
        """Whether time, or somebody else's step, can still lead to where this can be done."""
        return (self.state, self.step) in _POSSIBLE_LATER

    @property
    def message(self) -> str:
        """Why not, and what has to come first, in one sentence."""
        sentence = _WHY_NOT.get((self.state, self.step)) or _STANDS.get(self.state)
        return sentence or super().message


def disputable_until(closed_at: datetime) -> datetime:
    """Until when a statement can be disputed."""
    return closed_at + DISPUTABLE


def state_after(state: State, step: Step, *, closed_at: datetime | None, now: datetime) -> State:
    """Where a step leads.

    Args:
        closed_at: when the statement's period was closed; None while it is open.

    Raises:
        StatementState: the step is not to be taken from there, or not now.

    Source: docs/rules/periods.md, rules 9 to 12.
    """
    until = None if closed_at is None else disputable_until(closed_at)
    following = _NEXT.get((state, step))
    is_late = state is State.ISSUED and step is Step.DISPUTE and until is not None and now >= until
    is_early = state is State.ISSUED and step is Step.PAY and until is not None and now < until
    if following is None or is_late or is_early:
        told = None if until is None else format_datetime(until)
        raise StatementState(state.value, told, step.value)
    return following
