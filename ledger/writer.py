"""The ledger's writes: each runs once for its key, and its receipt is kept with what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection

from kernel.clock import Clock, from_micros, to_micros
from kernel.database import Database
from kernel.refusals import Refusal, refusal_from_json
from ledger import events, forfeiting, merging, reads, refund_events
from ledger.contract import (
    ApplyRefund,
    AttemptReleased,
    CaptureOrder,
    CardForfeited,
    CardsMerged,
    CardStanding,
    CardsUnmerged,
    CoinsReceipt,
    ForfeitCard,
    FundsHeld,
    FundsReleased,
    GrantCoins,
    GrantOverBudget,
    HoldFunds,
    KeyReused,
    LedgerSettings,
    MergeCards,
    OrderReceipt,
    RefundReceipt,
    ReleaseFunds,
    UnmergeCards,
)
from ledger.entering import Moment
from ledger.loading import read_hold
from ledger.merging import for_survivor
from ledger.sqlite import Lane
from ledger.state import HoldState

ReceiptT = TypeVar(
    "ReceiptT",
    FundsHeld,
    FundsReleased,
    OrderReceipt,
    RefundReceipt,
    CoinsReceipt,
    CardsMerged,
    CardsUnmerged,
    CardForfeited,
)
_ANY_TIME = from_micros(0)
"""A repeat may come later."""


class SqlLedger:
    """The ledger in one database; see `ledger.contract.Ledger`."""

    def __init__(
        self, database: Database, *, clock: Clock, settings: Callable[[], LedgerSettings]
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings

    async def hold(self, request: HoldFunds) -> FundsHeld:
        """Holds the funds, all or nothing."""
        body = (request.card_id, request.merchant_id, request.points, request.coins_minor)
        receipt = await self._once(
            "hold",
            request.attempt_id,
            body,
            FundsHeld,
            lambda lane, _: events.hold(lane, for_survivor(lane, request)),
        )
        if receipt.replayed:
            await self._refuse_when_released(request.attempt_id)
        return receipt

    async def release(self, request: ReleaseFunds) -> FundsReleased:
        """Frees what the attempt holds."""
        return await self._once(
            "release",
            request.attempt_id,
            (request.card_id,),
            FundsReleased,
            lambda lane, moment: events.release(lane, for_survivor(lane, request), moment),
        )

    async def capture_order(self, request: CaptureOrder) -> OrderReceipt:
        """Books a paid order."""
        # The order names its buyer, whose card may have been merged since.
        facts = replace(request, active_at=request.at, expires_at=None, card_id=None)
        return await self._once(
            "order",
            request.order_id,
            facts,
            OrderReceipt,
            lambda lane, moment: events.capture(lane, for_survivor(lane, request), moment),
        )

    async def apply_refund(self, request: ApplyRefund) -> RefundReceipt:
        """Books a refund."""
        return await self._once(
            "refund",
            f"{request.order_id}/{request.refund_no}",
            replace(request, card_id=None),
            RefundReceipt,
            lambda lane, moment: refund_events.refund(lane, request, moment),
        )

    async def preview_refund(self, request: ApplyRefund) -> RefundReceipt:
        """What `apply_refund` would do now."""
        moment = self._moment()
        return await self._database.snapshot(
            lambda connection: refund_events.preview(Lane(connection), request, moment)
        )

    async def grant_coins(self, request: GrantCoins) -> CoinsReceipt:
        """Gives coins to a card."""
        return await self._once(
            "grant",
            request.grant_key,
            request,
            CoinsReceipt,
            lambda lane, moment: events.grant(lane, for_survivor(lane, request), moment),
        )

    async def merge_cards(self, request: MergeCards) -> CardsMerged:
        """Makes two cards one."""
        return await self._once(
            "merge",
            request.merge_id,
            replace(request, at=_ANY_TIME),
            CardsMerged,
            lambda lane, moment: merging.merge(lane, request, moment),
        )

    async def preview_merge(self, request: MergeCards) -> CardsMerged:
        """What `merge_cards` would do now."""
        moment = self._moment()
        return await self._database.snapshot(
            lambda connection: merging.preview(Lane(connection), request, moment)
        )

    async def unmerge_cards(self, request: UnmergeCards) -> CardsUnmerged:
        """Undoes a merge."""
        return await self._once(
            "unmerge",
            request.merge_id,
            replace(request, at=_ANY_TIME),
            CardsUnmerged,
            lambda lane, moment: merging.unmerge(lane, request, moment),
        )

    async def forfeit_card(self, request: ForfeitCard) -> CardForfeited:
        """Gives up what a card has."""
        return await self._once(
            "forfeit",
            request.card_id,
            replace(request, at=_ANY_TIME),
            CardForfeited,
            lambda lane, moment: forfeiting.forfeit(lane, request, moment),
        )

    async def balances(self, card_ids: Sequence[str], *, now: datetime) -> list[CardStanding]:
        """What each card has."""
        return await self._database.snapshot(
            lambda connection: reads.read_standings(connection, card_ids, now=to_micros(now))
        )

    async def has_entries(self) -> bool:
        """Whether anything was ever booked."""
        return await self._database.snapshot(
            lambda connection: (
                connection.exec_driver_sql("SELECT 1 FROM entry LIMIT 1").first() is not None
            )
        )

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._settings())

    async def _refuse_when_released(self, attempt_id: str) -> None:
        attempt = await self._database.snapshot(
            lambda connection: read_hold(Lane(connection), attempt_id)
        )
        if attempt is not None and attempt.state is HoldState.RELEASED:
            raise AttemptReleased

    async def _once(
        self,
        operation: str,
        key: str,
        body: object,
        kind: type[ReceiptT],
        work: Callable[[Lane, Moment], tuple[ReceiptT, int | None]],
    ) -> ReceiptT:
        moment = self._moment()
        outcome = await self._database.transaction(
            lambda connection: _answer_once(
                Lane(connection), moment, operation=operation, key=key, body=body, kind=kind,
                work=work,
            )
        )  # fmt: skip
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome


def grant_once(
    connection: Connection, request: GrantCoins, moment: Moment
) -> CoinsReceipt | GrantOverBudget:
    """Gives coins to a card, once for its key. The caller owns the transaction."""
    outcome = _answer_once(
        Lane(connection),
        moment,
        operation="grant",
        key=request.grant_key,
        body=request,
        kind=CoinsReceipt,
        work=lambda lane, at: events.grant(lane, for_survivor(lane, request), at),
    )
    assert isinstance(outcome, CoinsReceipt | GrantOverBudget)
    return outcome


def _answer_once(
    lane: Lane,
    moment: Moment,
    *,
    operation: str,
    key: str,
    body: object,
    kind: type[ReceiptT],
    work: Callable[[Lane, Moment], tuple[ReceiptT, int | None]],
) -> ReceiptT | Refusal:
    """What `work` answers, or what it answered when the key came first."""
    body_hash = hashlib.sha256(orjson.dumps(body)).hexdigest()
    stored = _stored(lane, operation, key, body_hash)
    if stored is not None:
        if "refusal" in stored:
            return refusal_from_json(stored)
        return replace(kind(**stored), replayed=True)
    seq: int | None = None
    outcome: ReceiptT | Refusal
    try:
        outcome, seq = work(lane, moment)
    except Refusal as refusal:  # A rule refuses before anything is written.
        if refusal.retryable:
            raise
        outcome = refusal
    _keep(lane, operation, key, body_hash, outcome, seq, moment)
    return outcome


def _stored(lane: Lane, operation: str, key: str, body_hash: str) -> dict[str, Any] | None:
    row = lane.first(
        "SELECT request_hash, receipt FROM ledger_request "
        "WHERE lane = 0 AND operation = ? AND idem_key = ?",
        (operation, key),
    )
    if row is None:
        return None
    if row[0] != body_hash:
        raise KeyReused(f"{operation} {key} came with another body")
    stored: dict[str, Any] = orjson.loads(row[1])
    return stored


def _keep(
    lane: Lane,
    operation: str,
    key: str,
    body_hash: str,
    outcome: ReceiptT | Refusal,
    seq: int | None,
    moment: Moment,
) -> None:
    if isinstance(outcome, Refusal):
        name, receipt = "REFUSED", orjson.dumps(outcome.as_json())
    else:
        name = "NOOP" if seq is None else "OK"
        receipt = orjson.dumps(outcome)
    lane.run(
        "INSERT INTO ledger_request VALUES (0, ?, ?, ?, ?, ?, ?, ?)",
        (operation, key, body_hash, name, seq, receipt.decode(), moment.micros),
    )
