"""Who invited whom, and what that earns. See docs/rules/referrals.md.

A referral is PENDING from the friend's join, QUALIFIED from the friend's first order, and REWARDED
once that order can not be returned any more; or REVERSED.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from gateway.membership import members_sql, referrals_sql
from gateway.membership.people import MemberStatus
from gateway.membership.referrals_sql import Referral, ReferralState
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from ledger.contract import GrantCoins, GrantOverBudget, KeyReused, Ledger
from merchants.port import Backend, OrderState

logger = logging.getLogger(__name__)

UNANSWERED = (DatabaseUnavailable, Overloaded)
REWARD_MINOR = 500
TRY_AGAIN_AFTER = timedelta(days=1)
REASON = "REFERRAL"


@dataclass(frozen=True, slots=True)
class _Due:
    """A referral whose time has come: whom it rewards, and whether its order still stands."""

    referral: Referral
    referrer_card_id: str | None
    is_waiting: bool


class Referrals:
    """Rewards referrals that are due.

    Args:
        reward_minor: coins for one referral, minor units; 0 for none.
    """

    def __init__(
        self,
        *,
        database: Database,
        ledger: Ledger,
        backend: Backend,
        clock: Clock,
        reward_minor: int,
        reach: Callable[[str], None],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._backend = backend
        self._clock = clock
        self._reward_minor = reward_minor
        self._reach = reach

    async def sweep(self) -> int:
        """Decides every referral whose first order can not be returned any more; how many."""
        now = self._clock.now()
        decided, last = 0, None
        # One that can not be decided now keeps none behind it waiting.
        while due := await self._database.snapshot(
            partial(referrals_sql.read_due, now=now, behind=last)
        ):
            last = due[-1]
            for referral in due:
                try:
                    decided += await self._decide(referral, now)
                except UNANSWERED as error:
                    logger.warning("referral waits: %s", error)
        return decided

    async def _decide(self, referral: Referral, now: datetime) -> bool:
        due = await self._look_up(referral)
        if due.is_waiting:
            return False
        if due.referrer_card_id is None or not await self._order_stands(referral):
            await self._become(referral, ReferralState.REVERSED)
            return True
        if self._reward_minor:
            try:
                await self._ledger.grant_coins(
                    GrantCoins(
                        grant_key=f"referral:{referral.friend_id}:{referral.tries}",
                        card_id=due.referrer_card_id,
                        funder_merchant_id=None,
                        amount_minor=self._reward_minor,
                        reason=REASON,
                        at=referral.due_at or now,
                    )
                )
            except GrantOverBudget:
                await self._database.transaction(
                    lambda connection: referrals_sql.put_off(
                        connection, referral, due_at=now + TRY_AGAIN_AFTER
                    )
                )
                return False
            except KeyReused as error:
                # It was given before a crash, when the card or the reward was another.
                logger.warning("referral was rewarded before: %s", error)
            self._reach("referral.granted")
        await self._become(referral, ReferralState.REWARDED)
        return True

    async def _look_up(self, referral: Referral) -> _Due:
        members, cards = await self._database.snapshot(
            lambda connection: (
                members_sql.read_members(connection, [referral.referrer_id]),
                members_sql.read_cards_of_members(connection, [referral.referrer_id]),
            )
        )
        member = members.get(referral.referrer_id)
        card = cards.get(referral.referrer_id)
        is_frozen = member is not None and member.status is MemberStatus.FROZEN
        return _Due(referral, None if card is None else card.id, is_waiting=is_frozen)

    async def _order_stands(self, referral: Referral) -> bool:
        assert referral.merchant_id is not None
        assert referral.order_id is not None
        [order] = await self._backend.orders([(referral.merchant_id, referral.order_id)])
        return order is not None and order.state is not OrderState.REFUNDED

    async def _become(self, referral: Referral, state: ReferralState) -> None:
        await self._database.transaction(
            lambda connection: referrals_sql.move(connection, referral, state)
        )
