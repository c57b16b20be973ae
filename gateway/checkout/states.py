"""States of a checkout, which may follow which, and what an unattended one needs. Pure.

See docs/rules/checkout.md, rules 1 to 4.
"""

from __future__ import annotations

from enum import StrEnum

HOLD_SECONDS = 300
EXTENDED_SECONDS = 900


class CheckoutState(StrEnum):
    """State of a checkout."""

    OPENING = "OPENING"
    """Locks and holds are being taken."""
    HELD = "HELD"
    """Everything is held while the customer pays."""
    CAPTURING = "CAPTURING"
    """The customer paid; the sale is being booked, and nothing releases."""
    CAPTURED = "CAPTURED"
    """The sale is booked everywhere."""
    RELEASING = "RELEASING"
    """Locks and holds are going back."""
    RELEASED = "RELEASED"
    """Nothing is held, and the attempt is refused for ever."""


_FOLLOWING = {
    CheckoutState.OPENING: {
        CheckoutState.HELD,
        CheckoutState.CAPTURING,
        CheckoutState.RELEASING,
    },
    CheckoutState.HELD: {CheckoutState.CAPTURING, CheckoutState.RELEASING},
    # Back to HELD only when the backend answered that nothing of the attempt stands.
    CheckoutState.CAPTURING: {CheckoutState.CAPTURED, CheckoutState.HELD},
    CheckoutState.CAPTURED: set[CheckoutState](),
    CheckoutState.RELEASING: {CheckoutState.RELEASED},
    # A paid sale never un-happens: a late capture begins a new attempt.
    CheckoutState.RELEASED: {CheckoutState.CAPTURING},
}
UNSETTLED = (
    CheckoutState.OPENING,
    CheckoutState.HELD,
    CheckoutState.CAPTURING,
    CheckoutState.RELEASING,
)
"""States that a sweeper looks at."""


def may_become(state: CheckoutState, following: CheckoutState) -> bool:
    """Whether a checkout may go from one state to the other in one change.

    Source: docs/rules/checkout.md, rule 1.
    """
    return following in _FOLLOWING[state]


class Need(StrEnum):
    """What a checkout that nobody works on needs."""

    NOTHING = "NOTHING"
    RELEASE = "RELEASE"
    CAPTURE = "CAPTURE"


def need_of(state: CheckoutState, *, seconds_left: float) -> Need:
    """What a sweeper does with a checkout that no request works on.

    Args:
        seconds_left: of a held checkout's time-out.

    Source: docs/rules/checkout.md, rule 4.
    """
    if state is CheckoutState.CAPTURING:
        return Need.CAPTURE
    if state in (CheckoutState.OPENING, CheckoutState.RELEASING):
        return Need.RELEASE
    if state is CheckoutState.HELD and seconds_left <= 0:
        return Need.RELEASE
    return Need.NOTHING


class TimeOuts:
    """Counts real seconds of held checkouts; business time may stand still or jump.

    A checkout that this process sees for the first time has its whole time-out: how long the
    processes before it waited is not known.

    Source: docs/rules/checkout.md, rule 3.
    """

    def __init__(
        self, *, hold_seconds: float = HOLD_SECONDS, extended_seconds: float = EXTENDED_SECONDS
    ) -> None:
        self._hold_seconds = hold_seconds
        self._extended_seconds = extended_seconds
        self._began: dict[str, float] = {}

    def seconds_left(self, checkout_id: str, *, monotonic: float, is_extended: bool) -> float:
        """Seconds until the time-out; begins to count when it is asked first."""
        whole = self._extended_seconds if is_extended else self._hold_seconds
        return max(0.0, self._began.setdefault(checkout_id, monotonic) + whole - monotonic)

    def forget(self, checkout_id: str) -> None:
        """Stops counting."""
        self._began.pop(checkout_id, None)
