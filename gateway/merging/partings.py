"""The saga that undoes a merge. See docs/rules/merging.md, rule 11.

The ledger's answer is the commit point: it refuses when something that moved was used, and then
the merge stands as before. After it every step is repeated until it is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from gateway.alliance.tables import REQUESTS
from gateway.checkout.running import Running
from gateway.membership import members_sql
from gateway.membership.people import MemberStatus
from gateway.merging import merges_sql
from gateway.merging.conflicts import Conflict, MergeBlocked
from gateway.merging.joining_two import part_two
from gateway.merging.merges_sql import Merge
from gateway.merging.tables import MergeState
from gateway.merging.wallets import wallet_of
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import Forbidden
from kernel.ids import IdSource
from kernel.refusals import NotFound, Refusal, RequestInProgress
from kernel.request_keys import request_key
from kernel.requests import Answer, RequestKey
from ledger.contract import Ledger, MergeSpent, UnmergeCards
from merchants.port import Backend

UNDO_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UnmergeMembers:
    """Asks to undo the merge that made a member another name."""

    request_id: str
    merged_id: str


@dataclass(frozen=True, slots=True)
class MembersUnmerged:
    """The two members are two again."""

    survivor_id: str
    merged_id: str
    replayed: bool


class Partings:
    """Undoes merges."""

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        backend: Backend,
        clock: Clock,
        ids: IdSource,
        running: Running,
        reach: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._backend = backend
        self._clock = clock
        self._ids = ids
        self._running = running
        self._reach = reach
        self._changed = changed

    async def unmerge(self, caller: Caller, command: UnmergeMembers) -> MembersUnmerged:
        """Makes two members of one again.

        Raises:
            Forbidden: the caller is no admin.
            NotFound: the member is not merged into another.
            MergeBlocked: it was merged too long ago, the survivor was merged again, or something
                that moved was used since.
            RequestInProgress: it is under way, or somebody needed did not answer; repeat it.
            RequestIdReused: the request id came with another input.
        """
        if not caller.is_admin:
            raise Forbidden
        key = request_key(caller, "unmergeMembers", command)
        answer = await self._running.once(key, lambda: self._unmerge(command, key))
        return MembersUnmerged(**answer.success(), replayed=answer.replayed)

    async def finish(self, merge: Merge) -> bool:
        """Does what is left of an undoing; whether the members are two now.

        Raises:
            DatabaseUnavailable, Overloaded: somebody did not answer; the sweeper asks again.
            RequestInProgress: it is in work.
        """
        async with self._running.occupying(merge.id):
            return await self._finish(merge)

    async def _finish(self, merge: Merge) -> bool:
        try:
            await self._ledger.unmerge_cards(
                UnmergeCards(merge.id, merge.survivor_card_id, merge.merged_card_id, merge.at)
            )
        except MergeSpent:
            await self._database.transaction(
                lambda connection: merges_sql.move(
                    connection,
                    merge.id,
                    MergeState.UNMERGING,
                    MergeState.MERGED,
                    opened_by=None,
                )
            )
            return False
        self._reach("unmerge.ledger")
        for pair in merge.wallets:
            await self._backend.unmerge(wallet_of(merge, pair))
            self._reach("unmerge.wallet")

        def part(connection: Connection) -> None:
            if merges_sql.move(connection, merge.id, MergeState.UNMERGING, MergeState.UNMERGED):
                part_two(connection, merge)

        await self._database.transaction(part)
        self._changed()
        self._reach("unmerge.done")
        return True

    async def _unmerge(self, command: UnmergeMembers, key: RequestKey) -> Answer:
        begun = await self._begin(command, key)
        if isinstance(begun, Answer):
            return begun
        self._reach("unmerge.begun")
        try:
            parted = begun.state is MergeState.UNMERGED or await self.finish(begun)
        except (DatabaseUnavailable, Overloaded) as error:
            raise RequestInProgress from error
        if parted:
            outcome = {"survivor_id": begun.survivor_id, "merged_id": begun.merged_id}
        else:
            outcome = MergeBlocked(conflicts=[Conflict.MERGE_SPENT.value]).as_json()

        def settle(connection: Connection) -> None:
            merges_sql.close_request(connection, begun.id)
            REQUESTS.settle(connection, key, outcome)

        await self._database.transaction(settle)
        return Answer(outcome, replayed=False)

    async def _begin(self, command: UnmergeMembers, key: RequestKey) -> Answer | Merge:
        now, owner = self._clock.now(), self._running.process
        opened_by = "\n".join((key.caller, key.operation, key.request_id))

        def work(connection: Connection) -> Answer | Merge:
            stored = REQUESTS.claim(connection, key, now=now, owner=owner)
            if stored is not None:
                return stored
            begun = merges_sql.read_opened_by(connection, opened_by)
            if begun is not None:
                return begun
            try:
                merge = _undoable(connection, command.merged_id, now=now)
            except Refusal as refusal:
                # Only the claim was written.
                if refusal.retryable:
                    raise
                REQUESTS.settle(connection, key, refusal.as_json())
                return Answer(refusal.as_json(), replayed=False)
            merges_sql.move(
                connection,
                merge.id,
                MergeState.MERGED,
                MergeState.UNMERGING,
                opened_by=opened_by,
            )
            return merge

        return await self._database.transaction(work)


def _undoable(connection: Connection, merged_id: str, *, now: datetime) -> Merge:
    merge = merges_sql.read_holding(connection, merged_id)
    if merge is None:
        raise NotFound(id=merged_id)
    survivor = members_sql.read_members(connection, [merge.survivor_id])[merge.survivor_id]
    if survivor.status is MemberStatus.ERASED:
        raise NotFound(id=merged_id)
    if merges_sql.is_under_way(connection, merge.survivor_id, merged_id, survivor.id):
        raise RequestInProgress
    conflicts = []
    if now >= merge.at + UNDO_WITHIN:
        conflicts.append(Conflict.MERGE_TOO_OLD.value)
    if survivor.id != merge.survivor_id or merges_sql.has_names(connection, merged_id):
        conflicts.append(Conflict.MERGED_AGAIN.value)
    if conflicts:
        raise MergeBlocked(conflicts=conflicts)
    return merge
