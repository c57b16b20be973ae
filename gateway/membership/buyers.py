"""Who buys with a card, at one merchant."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.membership import members_sql
from kernel.database import Database


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys.

    Attributes:
        card_id: the card; the survivor's when the one asked for was merged.
        membership_id: None when the card has not joined the merchant.
    """

    card_id: str
    membership_id: str | None
    is_frozen: bool


class Buyers:
    """Finds buyers by card."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def buyer(self, card_id: str, merchant_id: str) -> Buyer | None:
        """The buyer at a merchant, in one statement; None when there is no such card."""
        person = await self._database.snapshot(
            lambda connection: members_sql.find_by_card(
                connection, merchant_id=merchant_id, card_id=card_id
            ),
            is_one_statement=True,
        )
        if person is None:
            return None
        membership = person.membership
        return Buyer(
            card_id=person.card.id,
            membership_id=None if membership is None else membership.id,
            is_frozen=person.is_frozen,
        )
