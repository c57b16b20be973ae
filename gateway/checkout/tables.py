"""Tables of checkouts, and of what sweepers remember."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from gateway.alliance.tables import METADATA
from gateway.checkout.states import UNSETTLED, CheckoutState
from kernel.database.columns import partial_index

_STATES = ", ".join(f"'{state}'" for state in CheckoutState)
UNSETTLED_SQL = "state IN ({})".format(", ".join(f"'{state}'" for state in UNSETTLED))
"""Written out, because a partial index serves no condition with parameters."""

CHECKOUT = Table(
    "checkout",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False),
    # The request that opened it and has no kept answer yet finds its checkout again.
    Column("opened_by", Text, nullable=True),
    Column("attempt_id", Text, nullable=False, unique=True),
    Column("merchant_id", Text, nullable=False),
    Column("store_id", Text, nullable=False),
    Column("card_id", Text, nullable=True),
    Column("membership_id", Text, nullable=True),
    Column("cart", Text, nullable=False),
    Column("agreed", Text, nullable=False),
    Column("payable_minor", Integer, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("order_no", Text, nullable=True),
    Column("paid_at", Integer, nullable=True),
    Column("absorbed_minor", Integer, nullable=False),
    Column("points_active_at", Integer, nullable=True),
    Column("points_expire_at", Integer, nullable=True),
    Column("is_extended", Integer, nullable=False),
    # A late capture has yet to take the alliance's coupons anew.
    Column("lacks_locks", Integer, nullable=False),
    Column("opened_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    CheckConstraint(f"state IN ({_STATES})"),
    CheckConstraint("state NOT IN ('CAPTURING', 'CAPTURED') OR order_no IS NOT NULL"),
    CheckConstraint("(order_no IS NULL) = (paid_at IS NULL)"),
    CheckConstraint("is_extended IN (0, 1) AND lacks_locks IN (0, 1)"),
    CheckConstraint("payable_minor >= 0 AND absorbed_minor >= 0"),
    partial_index("checkout_opened_by", "opened_by", unique=True, where="opened_by IS NOT NULL"),
    partial_index("checkout_unsettled", "id", where=UNSETTLED_SQL),
)

EVENT_CURSOR = Table(
    "event_cursor",
    METADATA,
    Column("backend", Text, primary_key=True),
    Column("cursor", Integer, nullable=False),
)
"""How far each backend's outbox was applied."""

APPLIED_EVENT = Table(
    "applied_event",
    METADATA,
    Column("event_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""Events applied ahead of the cursor, by the request that caused them; gone once it passed."""

STUCK_EVENT = Table(
    "stuck_event",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("backend", Text, nullable=False),
    Column("cursor", Integer, nullable=False),
    # The card, or the order of a buyer without one: what goes on in order.
    Column("stream", Text, nullable=False),
    Column("merchant_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_no", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("parked_at", Integer, nullable=True),
    CheckConstraint("tries >= 0", name="stuck_event_tries"),
    Index("stuck_event_place", "backend", "cursor", unique=True),
    sqlite_with_rowid=False,
)
"""Events that could not be booked, and those behind them; gone once they are booked."""
