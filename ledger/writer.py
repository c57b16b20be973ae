"""The ledger's writes: each takes effect once for its key, many of them in one commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from kernel.clock import Clock, to_micros
from kernel.database import Database, DatabaseUnavailable, InDoubt, Isolation, Overloaded
from ledger import reads
from ledger.booking import refund_events
from ledger.booking.batch import (
    OfFamily,
    Outcome,
    Submission,
    look_at_books,
    read_outcomes,
    run_batch,
    run_one_by_one,
)
from ledger.booking.entering import Moment, hash_of
from ledger.booking.lane_queues import AT_ONCE, ENOUGH, LaneQueues
from ledger.contract import (
    ApplyRefund,
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
    HoldFunds,
    LedgerSettings,
    MergeCards,
    OrderReceipt,
    RefundReceipt,
    ReleaseFunds,
    UnmergeCards,
)
from ledger.families import merging
from ledger.families.apart import decide_apart, look_up_apart, take_turn_to_grant
from ledger.families.family_books import FamilyBooks
from ledger.families.late import preview_refund
from ledger.stores.lanes import lane_of
from ledger.stores.port import Port
from ledger.stores.ports import cursor_on, on_lanes, port_on

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
T = TypeVar("T")
logger = logging.getLogger(__name__)


class SqlLedger:
    """The ledger in one database; see `ledger.contract.Ledger`.

    Attributes:
        batches_isolated: batches that the books objected to, and that were run one by one.
        commits_in_doubt: commits that failed so that only the books could tell what became of them.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        settings: Callable[[], LedgerSettings],
        lanes: int = 1,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._lanes = lanes
        # One file has one writer, so that lanes would only wait for each other in a transaction.
        self._queues: LaneQueues[Submission, Any] = LaneQueues(
            self._commit,
            lanes=lanes,
            enough=ENOUGH if database.is_shared else 1,
            at_once=AT_ONCE if database.is_shared else lanes,
        )
        self.batches_isolated = 0
        self.commits_in_doubt = 0

    @property
    def waiting(self) -> int:
        """How many requests wait and are not being booked yet."""
        return self._queues.waiting

    async def hold(self, request: HoldFunds) -> FundsHeld:
        """Holds the funds, all or nothing."""
        body = (request.card_id, request.merchant_id, request.points, request.coins_minor)
        now = to_micros(request.now)
        return await self._once(FundsHeld, "hold", request.attempt_id, request, body, now=now)

    async def release(self, request: ReleaseFunds) -> FundsReleased:
        """Frees what the attempt holds."""
        body = (request.card_id,)
        return await self._once(FundsReleased, "release", request.attempt_id, request, body)

    async def capture_order(self, request: CaptureOrder) -> OrderReceipt:
        """Books a paid order."""
        submission = order_submission(request, now=self._clock.now(), settings=self._settings())
        return await self._submit(OrderReceipt, submission)

    async def apply_refund(self, request: ApplyRefund) -> RefundReceipt:
        """Books a refund."""
        key = f"{request.order_id}/{request.refund_no}"
        return await self._once(
            RefundReceipt, "refund", key, request, replace(request, card_id=None)
        )

    async def preview_refund(self, request: ApplyRefund) -> RefundReceipt:
        """What `apply_refund` would do now."""
        moment = self._moment()

        def preview(connection: Connection) -> RefundReceipt:
            if request.card_id is not None:
                looked = self._family_books(connection, [request.card_id], moment, is_looking=True)
                if len(looked.family.cards) > 1:
                    return preview_refund(looked, request, moment)
            lane = lane_of(request.card_id, self._lanes)
            books = look_at_books(port_on(connection, lane), now=moment.micros)
            return refund_events.preview(books, request, moment)

        return await self._database.snapshot(preview)

    async def grant_coins(self, request: GrantCoins) -> CoinsReceipt:
        """Gives coins to a card."""
        return await self._once(CoinsReceipt, "grant", request.grant_key, request, request)

    async def merge_cards(self, request: MergeCards) -> CardsMerged:
        """Makes two cards one."""
        return await self._of_cards(CardsMerged, "merge", request)

    async def preview_merge(self, request: MergeCards) -> CardsMerged:
        """What `merge_cards` would do now."""
        moment = self._moment()

        def preview(connection: Connection) -> CardsMerged:
            cards = [request.survivor_card_id, request.merged_card_id]
            books = self._family_books(connection, cards, moment, is_looking=True)
            return merging.merge(books, request, moment)  # Nothing finishes the books.

        return await self._database.snapshot(preview)

    async def unmerge_cards(self, request: UnmergeCards) -> CardsUnmerged:
        """Undoes a merge."""
        return await self._of_cards(CardsUnmerged, "unmerge", request)

    async def forfeit_card(self, request: ForfeitCard) -> CardForfeited:
        """Gives up what a card has."""
        body = (request.card_id,)
        return await self._once(CardForfeited, "forfeit", request.card_id, request, body)

    async def balances(self, card_ids: Sequence[str], *, now: datetime) -> list[CardStanding]:
        """What each card has."""
        return await self._database.snapshot(
            lambda connection: reads.read_standings(connection, card_ids, now=to_micros(now))
        )

    async def has_entries(self) -> bool:
        """Whether anything was ever booked."""
        return await self._database.snapshot(
            lambda connection: (
                cursor_on(connection).first("SELECT 1 FROM entry LIMIT 1") is not None
            )
        )

    async def close(self) -> None:
        """Returns when nothing waits any more."""
        await self._queues.drained()

    def _moment(self, body: object = None) -> Moment:
        return Moment(self._clock.now(), self._settings(), hash_of(body))

    async def _once(
        self,
        kind: type[ReceiptT],
        operation: str,
        key: str,
        request: HoldFunds | ReleaseFunds | CaptureOrder | ApplyRefund | GrantCoins | ForfeitCard,
        body: object,
        *,
        now: int | None = None,
    ) -> ReceiptT:
        moment = self._moment(body)
        looks_at = moment.micros if now is None else now
        return await self._submit(kind, Submission(operation, key, request, moment, looks_at))

    async def _submit(self, kind: type[ReceiptT], submission: Submission) -> ReceiptT:
        lane = lane_of(submission.request.card_id, self._lanes)
        try:
            outcome = await self._queues.submit(lane, submission)
        except OfFamily:
            outcome = await self._submit_apart(submission, [submission.request.card_id])
        assert isinstance(outcome, kind)
        return outcome

    async def _of_cards(
        self, kind: type[ReceiptT], operation: str, request: MergeCards | UnmergeCards
    ) -> ReceiptT:
        cards: list[str] = [request.survivor_card_id, request.merged_card_id]
        moment = self._moment((request.merge_id, *cards))
        submission = Submission(operation, request.merge_id, request, moment, moment.micros)
        outcome = await self._submit_apart(submission, cards)
        assert isinstance(outcome, kind)
        return outcome

    async def _submit_apart(self, submission: Submission, cards: Sequence[str]) -> Outcome:
        """The answer to a request of several lanes, in a transaction of its own."""

        def decide(connection: Connection) -> list[Outcome]:
            return [decide_apart(connection, submission, cards, lanes=self._lanes)]

        def look_up(connection: Connection) -> list[Outcome]:
            return [look_up_apart(connection, submission, cards, lanes=self._lanes)]

        try:
            [outcome] = await self._write(decide)
        except InDoubt:
            self.commits_in_doubt += 1
            logger.error("a commit of several lanes is in doubt; the books are asked")
            [outcome] = await self._look_up(look_up)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _family_books(
        self, connection: Connection, cards: Sequence[str], moment: Moment, *, is_looking: bool
    ) -> FamilyBooks:
        return FamilyBooks(
            connection,
            cards,
            lanes=self._lanes,
            since=moment.micros,
            latest=moment.micros,
            is_looking=is_looking,
        )

    async def _commit(
        self, batches: Mapping[int, Sequence[Submission]]
    ) -> Mapping[int, Sequence[Outcome | BaseException]]:
        """The outcomes of each lane's batch, all booked in one transaction.

        Of several lanes, those that others have locked are left out.
        """
        try:
            return await self._write(_on_lanes(run_batch, batches))
        except InDoubt:
            self.commits_in_doubt += 1
            count = sum(map(len, batches.values()))
            logger.error("a commit of %d requests is in doubt; the books are asked", count)
            # Lane by lane, so that each waits for whoever has it locked.
            return {
                lane: (await self._look_up(_on_lanes(read_outcomes, {lane: batch})))[lane]
                for lane, batch in batches.items()
            }
        except (DatabaseUnavailable, Overloaded):
            raise
        except Exception:
            logger.exception("a batch of %d lanes is run lane by lane", len(batches))
        return await self._lane_by_lane(batches)

    async def _lane_by_lane(
        self, batches: Mapping[int, Sequence[Submission]]
    ) -> Mapping[int, Sequence[Outcome | BaseException]]:
        """The same for a transaction that failed: what fails in one lane fails there alone."""
        outcomes: dict[int, Sequence[Outcome | BaseException]] = {}
        is_down = False
        for lane, batch in batches.items():
            if is_down:
                unavailable = DatabaseUnavailable("the database failed, nothing was kept")
                outcomes[lane] = [unavailable] * len(batch)
                continue
            try:
                outcomes[lane] = await self._isolated(lane, batch, is_known=len(batches) == 1)
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait.
                outcomes[lane] = [error] * len(batch)
                is_down = isinstance(error, DatabaseUnavailable | Overloaded)
        return outcomes

    async def _isolated(
        self, lane: int, batch: Sequence[Submission], *, is_known: bool
    ) -> Sequence[Outcome | BaseException]:
        """The outcomes of one lane's batch; its requests run one by one when they fail together.

        Args:
            is_known: whether they did.
        """
        if not is_known:
            try:
                return (await self._write(_on_lanes(run_batch, {lane: batch})))[lane]
            except (DatabaseUnavailable, Overloaded):
                raise
            except Exception:
                logger.exception("a batch of lane %d is run one by one", lane)
        self.batches_isolated += 1
        return (await self._write(_on_lanes(run_one_by_one, {lane: batch})))[lane]

    async def _look_up(self, work: Callable[[Connection], T]) -> T:
        """After a commit that may have happened or not: what the books say.

        Raises:
            InDoubt: they can not be asked, so that nobody knows.
        """
        try:
            return await self._write(work)
        except (DatabaseUnavailable, Overloaded) as error:
            raise InDoubt("the database failed while it committed") from error

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """What the work answers; it locks its lane first, and finds what it did before."""
        return await self._database.transaction(
            work, isolation=Isolation.READ_COMMITTED, is_idempotent=True
        )


def _on_lanes(
    work: Callable[[Port, Sequence[Submission]], list[Outcome]],
    batches: Mapping[int, Sequence[Submission]],
) -> Callable[[Connection], dict[int, list[Outcome]]]:
    """The same work on each lane with its batch; where coins are granted, in their turn."""

    def work_on(batch: Sequence[Submission]) -> Callable[[Port], list[Outcome]]:
        return lambda port: work(port, batch)

    works = {lane: work_on(batch) for lane, batch in batches.items()}
    if any(each.operation == "grant" for batch in batches.values() for each in batch):
        return lambda connection: _one_lane_after_the_other(connection, works)
    return lambda connection: on_lanes(connection, works)


def _one_lane_after_the_other(
    connection: Connection, works: Mapping[int, Callable[[Port], T]]
) -> dict[int, T]:
    """A grant sees what the other lanes granted, of a budget that is one for all of them."""
    take_turn_to_grant(connection)
    return {lane: works[lane](port_on(connection, lane)) for lane in sorted(works)}


def order_submission(
    request: CaptureOrder, *, now: datetime, settings: LedgerSettings
) -> Submission:
    """A paid order on its way.

    A repeat of it may carry other dates for what it earned, and its buyer's card under the name
    that it has by then.
    """
    body = (
        request.order_id, request.order_no, request.merchant_id, request.attempt_id,
        request.points_spent, request.coins_spent_minor,
        request.points_earned, request.at, request.redemptions,
    )  # fmt: skip
    moment = Moment(now, settings, hash_of(body))
    return Submission("order", request.order_id, request, moment, moment.micros)
