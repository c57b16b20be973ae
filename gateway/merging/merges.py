"""The saga that makes two members one, and two again. See docs/rules/merging.md.

The alliance's transaction is the commit point: before it nothing is written, after it every step
is repeated until it is answered, by the request or by the sweeper.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout.running import Running
from gateway.directory.health import BackendSilent
from gateway.membership import members_sql
from gateway.membership.people import Member, MemberStatus
from gateway.merging import merges_sql
from gateway.merging.conflicts import (
    ACCEPTABLE,
    MergeBlocked,
    conflicts_between,
    survivor_first,
)
from gateway.merging.joining_two import join_two, wallet_pairs
from gateway.merging.merges_sql import Merge, WalletPair
from gateway.merging.partings import Partings
from gateway.merging.tables import MergeState
from gateway.merging.wallets import pair_wallet, wallet_of
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import Forbidden
from kernel.ids import IdSource
from kernel.refusals import InvalidInput, NotFound, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from ledger.contract import Ledger, MergeCards
from merchants.port import Backend, MergeWallets, WalletsMerged

logger = logging.getLogger(__name__)

ACCEPTED_MAX = 10
UNANSWERED = (DatabaseUnavailable, Overloaded)


@dataclass(frozen=True, slots=True)
class MergeMembers:
    """Asks to make two members one.

    Attributes:
        survivor_id, merged_id: the two; the one that joined earlier stays, whatever is named so.
        accepted: conflicts that the admin saw and overrules.
    """

    request_id: str
    survivor_id: str
    merged_id: str
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MembersMerged:
    """The two members are one."""

    survivor_id: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do.

    Attributes:
        paid_refunds_minor: what merchants would refund of paid memberships, in all.
    """

    survivor_id: str
    points_after: int
    debt_after: int
    coupons_moved: int
    paid_refunds_minor: int
    conflicts: tuple[str, ...]


class Merges:
    """Merges members.

    Attributes:
        epoch: grows whenever an id of this process may mean another member than before.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        backend: Backend,
        running: Running,
        clock: Clock,
        ids: IdSource,
        reach: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._backend = backend
        self._running = running
        self._clock = clock
        self._ids = ids
        self._reach = reach
        self.epoch = 0
        self.partings = Partings(
            database=database,
            ledger=ledger,
            backend=backend,
            clock=clock,
            ids=ids,
            running=self._running,
            reach=reach,
            changed=self._change_epoch,
        )

    async def preview(self, caller: Caller, command: MergeMembers) -> MergePreview:
        """What `merge` would do now; writes nothing.

        Raises:
            Forbidden: the caller is no admin.
            NotFound: one of the two is no member any more.
            InvalidInput: both ids mean the same member.
            BackendSilent: a backend did not answer.
        """
        if not caller.is_admin:
            raise Forbidden
        request_key(caller, "mergeMembers", command)  # Refuses an id beyond its limits.
        now = self._clock.now()

        def work(connection: Connection) -> tuple[Member, Member, Sequence[WalletPair], list[str]]:
            survivor, merged = two_members(connection, command.survivor_id, command.merged_id)
            cards = members_sql.read_cards_of_members(connection, [survivor.id, merged.id])
            pairs = wallet_pairs(connection, survivor.id, merged.id)
            return survivor, merged, pairs, [cards[survivor.id].id, cards[merged.id].id]

        survivor, merged, pairs, cards = await self._database.snapshot(work)
        merge_id = self._ids.new("mrg")
        books = await self._ledger.preview_merge(MergeCards(merge_id, cards[0], cards[1], now))
        moved = refunds_minor = 0
        for pair in pairs:
            wallet = pair_wallet(merge_id, pair, survivor_card=cards[0], merged_card=cards[1])
            would = await self._preview_wallet(replace(wallet, dry_run=True))
            moved += would.coupons_moved
            refunds_minor += would.paid_refunds_minor
        return MergePreview(
            survivor_id=survivor.id,
            points_after=books.points_after,
            debt_after=books.debt_after,
            coupons_moved=moved,
            paid_refunds_minor=refunds_minor,
            conflicts=tuple(each.value for each in conflicts_between(survivor, merged)),
        )

    async def merge(self, caller: Caller, command: MergeMembers) -> MembersMerged:
        """Makes two members one.

        Raises:
            Forbidden: the caller is no admin.
            NotFound: one of the two is no member any more.
            InvalidInput: both ids mean the same member, or an accepted code may not be.
            MergeBlocked: something stands against it.
            RequestInProgress: it is under way, or somebody needed did not answer; repeat it.
            RequestIdReused: the request id came with another input.
        """
        if not caller.is_admin:
            raise Forbidden
        key = request_key(caller, "mergeMembers", command)
        answer = await self._running.once(key, lambda: self._merge(command, key))
        return MembersMerged(answer.success()["survivor_id"], answer.replayed)

    def join_proven(self, connection: Connection, one: Member, other: Member) -> Merge | None:
        """Makes two members one that were proven to be; None when something stands against it.

        The caller owns the transaction, and finishes the merge behind it.

        Source: docs/rules/merging.md, rule 8.
        """
        if conflicts_between(one, other) or merges_sql.is_under_way(connection, one.id, other.id):
            return None
        survivor, merged = survivor_first(one, other)
        return join_two(
            connection,
            self._ids.new("mrg"),
            survivor,
            merged,
            now=self._clock.now(),
            opened_by=None,
        )

    async def finish(self, merge_id: str) -> None:
        """Does what is left of a merge that was committed.

        Raises:
            DatabaseUnavailable, Overloaded: somebody did not answer; the sweeper asks again.
            RequestInProgress: it is in work.
        """
        async with self._running.occupying(merge_id):
            await self._finish(merge_id)

    async def _finish(self, merge_id: str) -> None:
        self._change_epoch()
        merge = await self._database.snapshot(
            lambda connection: merges_sql.read_merge(connection, merge_id)
        )
        if merge.state is not MergeState.MERGING:
            return
        self._reach("merge.begun")
        await self._ledger.merge_cards(
            MergeCards(merge.id, merge.survivor_card_id, merge.merged_card_id, merge.at)
        )
        self._reach("merge.ledger")
        for pair in merge.wallets:
            await self._backend.merge(wallet_of(merge, pair))
            self._reach("merge.wallet")
        await self._database.transaction(
            lambda connection: merges_sql.move(
                connection, merge.id, MergeState.MERGING, MergeState.MERGED
            )
        )
        self._reach("merge.done")

    async def sweep(self) -> int:
        """Finishes every merge, and every undoing of one, that somebody left; how many."""
        left = await self._database.snapshot(merges_sql.read_unfinished)
        finished = 0
        for merge in left:
            try:
                if merge.state is MergeState.MERGING:
                    await self.finish(merge.id)
                else:
                    await self.partings.finish(merge)
                finished += 1
            except (*UNANSWERED, RequestInProgress) as error:
                logger.warning("merge %s waits: %s", merge.id, error)
        return finished

    def _change_epoch(self) -> None:
        self.epoch += 1

    async def _merge(self, command: MergeMembers, key: RequestKey) -> Answer:
        begun = await self._begin(command, key)
        if isinstance(begun, Answer):
            return begun
        try:
            await self.finish(begun.id)
        except UNANSWERED as error:
            raise RequestInProgress from error
        outcome = {"survivor_id": begun.survivor_id}

        def settle(connection: Connection) -> None:
            merges_sql.close_request(connection, begun.id)
            REQUESTS.settle(connection, key, outcome)

        await self._database.transaction(settle)
        self._reach("merge.answered")
        return Answer(outcome, replayed=False)

    async def _begin(self, command: MergeMembers, key: RequestKey) -> Answer | Merge:
        """The merge that this request is to finish, or its kept answer."""
        now, owner = self._clock.now(), self._running.process
        opened_by = "\n".join((key.caller, key.operation, key.request_id))
        merge_id = self._ids.new("mrg")

        def work(connection: Connection) -> Answer | Merge:
            stored = REQUESTS.claim(connection, key, now=now, owner=owner)
            if stored is not None:
                return stored
            begun = merges_sql.read_opened_by(connection, opened_by)
            if begun is not None:
                return begun
            try:
                survivor, merged = _mergeable(connection, command)
            except Refusal as refusal:
                # Only the claim was written.
                if refusal.retryable:
                    raise
                REQUESTS.settle(connection, key, refusal.as_json())
                return Answer(refusal.as_json(), replayed=False)
            return join_two(connection, merge_id, survivor, merged, now=now, opened_by=opened_by)

        return await self._database.transaction(work)

    async def _preview_wallet(self, wallet: MergeWallets) -> WalletsMerged:
        try:
            return await self._backend.merge(wallet)
        except UNANSWERED as error:
            raise BackendSilent(wallet.merchant_id) from error


def two_members(connection: Connection, one_id: str, other_id: str) -> tuple[Member, Member]:
    """Two different members by any of their ids, the survivor first.

    Raises:
        NotFound: one of them is no member any more.
        InvalidInput: both ids mean the same member.
    """
    found = members_sql.read_members(connection, [one_id, other_id])
    for member_id in (one_id, other_id):
        if member_id not in found or found[member_id].status is MemberStatus.ERASED:
            raise NotFound(id=member_id)
    one, other = found[one_id], found[other_id]
    if one.id == other.id:
        raise InvalidInput.at("mergedId", "must name another member than survivorId")
    return survivor_first(one, other)


def _mergeable(connection: Connection, command: MergeMembers) -> tuple[Member, Member]:
    if len(command.accepted) > ACCEPTED_MAX:
        raise InvalidInput.at("acceptConflicts", f"must have at most {ACCEPTED_MAX} codes")
    problems = [
        [f"acceptConflicts.{index}", f"must be one of {', '.join(sorted(ACCEPTABLE))}"]
        for index, code in enumerate(command.accepted)
        if code not in ACCEPTABLE
    ]
    if problems:
        raise InvalidInput(problems)
    survivor, merged = two_members(connection, command.survivor_id, command.merged_id)
    if merges_sql.is_under_way(connection, survivor.id, merged.id):
        raise RequestInProgress
    conflicts = [
        conflict.value
        for conflict in conflicts_between(survivor, merged)
        if conflict not in command.accepted
    ]
    if conflicts:
        raise MergeBlocked(conflicts=conflicts)
    return survivor, merged
