"""Finds the buyer of a cart among the members."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.checkout.desk import Buyer
from gateway.membership.members_sql import find_by_card
from gateway.membership.people import MemberStatus
from kernel.database import Database

_GONE = (MemberStatus.MERGED, MemberStatus.ERASED)


class MemberBuyers:
    """Buyers, as the alliance's members are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def buyer(self, card_id: str, merchant_id: str) -> Buyer | None:
        """The buyer at a merchant; None when no living member has the card."""

        def work(connection: Connection) -> Buyer | None:
            person = find_by_card(connection, merchant_id=merchant_id, card_id=card_id)
            if person is None or person.status in _GONE:
                return None
            return Buyer(
                card_id=card_id,
                membership_id=None if person.membership is None else person.membership.id,
                is_frozen=person.status is MemberStatus.FROZEN,
            )

        return await self._database.snapshot(work)
