"""Tells backends of new memberships. Telling again changes nothing."""

from __future__ import annotations

from gateway.directory.entries import ALLIANCE_MERCHANT_ID
from gateway.directory.health import BackendSilent, HealthBoard
from gateway.membership import memberships_sql
from gateway.membership.people import Membership
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.refusals import Refusal
from merchants.port import Backend, JoinMerchant

UNTOLD_BATCH = 500


class Wallets:
    """Opens a wallet at the merchant, and for a new member at the alliance."""

    def __init__(self, *, database: Database, backend: Backend, health: HealthBoard) -> None:
        self._database = database
        self._backend = backend
        self._health = health

    async def open_for(self, membership: Membership) -> str | None:
        """The coupon for the order being placed now; None when joining gives none.

        Raises:
            BackendSilent: a backend did not answer.
            MerchantNotActive: a backend takes no members now.
        """
        coupon_ids = await self._open(membership, membership.merchant_id)
        if membership.made_member:
            coupon_ids += await self._open(membership, ALLIANCE_MERCHANT_ID)
        return coupon_ids[0] if coupon_ids else None

    async def finish(self) -> None:
        """Opens every wallet that a crash kept shut; a backend that is silent keeps its own."""
        after = ""
        while untold := await self._database.snapshot(
            lambda connection, seen=after: memberships_sql.read_untold(  # type: ignore[misc]
                connection, after=seen, limit=UNTOLD_BATCH
            )
        ):
            for membership in untold:
                await self._finish_one(membership)
            after = untold[-1].id

    async def _finish_one(self, membership: Membership) -> None:
        try:
            await self.open_for(membership)
        except (BackendSilent, Refusal):
            return
        await self._database.transaction(
            lambda connection: memberships_sql.mark_told(connection, membership.id)
        )

    async def _open(self, membership: Membership, merchant_id: str) -> tuple[str, ...]:
        is_own = merchant_id == membership.merchant_id
        try:
            opened = await self._backend.join(
                JoinMerchant(
                    merchant_id=merchant_id,
                    membership_id=membership.id if is_own else None,
                    card_id=membership.card_id,
                    store_id=membership.store_id if is_own else None,
                    at=membership.joined_at,
                    is_new_member=membership.made_member,
                )
            )
        except (DatabaseUnavailable, Overloaded) as error:
            self._health.note_failure(merchant_id, code="SUBGRAPH_UNAVAILABLE")
            raise BackendSilent(merchant_id) from error
        self._health.note_answer(merchant_id)
        return opened.coupon_ids
