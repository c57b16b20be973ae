"""Statements on the steps of statements. The caller owns the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select

from kernel.clock import to_micros
from ledger.booking.batch import open_books
from ledger.booking.entering import Moment, event_at, state_of
from ledger.booking.posting import Pen
from ledger.rules.draft import Draft
from ledger.rules.settlement import Leg
from ledger.rules.state import ALLIANCE, SettlementKind, TxKind
from ledger.statements.life import State
from ledger.statements.tables import statement_step
from ledger.stores.ports import port_on
from ledger.tables import period

_LANE = 0


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a statement; `told_at` in microseconds.

    Attributes:
        adjustment_minor: what the alliance posted for it, + to the merchant; 0 when nothing.
    """

    state: State
    told_by: str
    told_at: int
    reason: str | None
    adjustment_minor: int


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a statement.

    Attributes:
        closed_at: when its period was closed, microseconds; None while it is open.
        steps: the first one first.
    """

    closed_at: int | None
    steps: tuple[StepRow, ...]

    @property
    def state(self) -> State:
        """Where the statement stands."""
        if self.steps:
            return self.steps[-1].state
        return State.DRAFT if self.closed_at is None else State.ISSUED


def read_lives(connection: Connection, keys: Sequence[tuple[int, str]]) -> list[Life]:
    """What became of each statement, by month and merchant."""
    months = sorted({month for month, _ in keys})
    merchants = sorted({merchant_id for _, merchant_id in keys})
    closed = select(period.c.month, period.c.closed_at).where(
        period.c.lane == _LANE, period.c.month.in_(months)
    )
    closed_at: dict[int, int] = {row[0]: row[1] for row in connection.execute(closed)}
    columns = statement_step.c
    statement = (
        select(
            columns.month, columns.merchant_id, columns.state, columns.told_by, columns.told_at,
            columns.reason, columns.adjustment,
        )
        .where(
            columns.lane == _LANE,
            columns.month.in_(months),
            columns.merchant_id.in_(merchants),
        )
        .order_by(columns.month, columns.merchant_id, columns.number)
    )  # fmt: skip
    steps: dict[tuple[int, str], list[StepRow]] = {}
    for month, merchant_id, state, *values in connection.execute(statement):
        steps.setdefault((month, merchant_id), []).append(StepRow(State(state), *values))
    return [Life(closed_at.get(key[0]), tuple(steps.get(key, ()))) for key in keys]


def insert_step(
    connection: Connection, month: int, merchant_id: str, *, number: int, step: StepRow
) -> None:
    """Keeps a step."""
    connection.execute(
        insert(statement_step).values(
            lane=_LANE,
            month=month,
            merchant_id=merchant_id,
            number=number,
            state=step.state.value,
            told_by=step.told_by,
            told_at=step.told_at,
            reason=step.reason,
            adjustment=step.adjustment_minor,
        )
    )


def post_adjustment(
    connection: Connection,
    month: int,
    party: str,
    *,
    amount_minor: int,
    reason: str,
    moment: Moment,
) -> None:
    """Posts what settles a dispute about a closed month, in the open one, against the alliance.

    Args:
        amount_minor: + to the party.
    """
    books = open_books(port_on(connection, _LANE), since=moment.micros, latest=moment.micros)
    pen = Pen(books)
    draft = Draft(state_of(books, to_micros(moment.now)), moment.micros)
    legs = [
        Leg(party, SettlementKind.ADJUSTMENT, amount_minor),
        Leg(ALLIANCE, SettlementKind.ADJUSTMENT, -amount_minor),
    ]
    draft.post(legs, rule_version=draft.state.rule.version, order_no=None)
    event = event_at(
        books,
        TxKind.ADJUSTMENT,
        moment,
        at=moment.now,
        card_id=None,
        merchant_id=party,
        reason=reason,
    )
    pen.enter(replace(event, origin_month=month), draft)
    pen.finish()
