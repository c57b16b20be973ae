"""Reads of one request, batched: one statement for each kind of thing asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from gateway.membership import members_sql, memberships_sql
from gateway.membership.identities import Identity
from gateway.membership.people import Card, Consent, Member, Membership
from kernel.database import Database

T = TypeVar("T")

BATCH_MAX = 500


class MembershipLoaders:
    """Members and what hangs on them, each read at most once for a request.

    A loader is made when it is first asked: most requests need one or two.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._membership_id_at: dict[str, DataLoader[str, str | None]] = {}

    @cached_property
    def member(self) -> DataLoader[str, Member | None]:
        """Members by id."""
        return self._by_id(members_sql.read_members)

    @cached_property
    def card(self) -> DataLoader[str, Card | None]:
        """Cards by id."""
        return self._by_id(members_sql.read_cards)

    @cached_property
    def card_of_member(self) -> DataLoader[str, Card | None]:
        """Cards by member id."""
        return self._by_id(members_sql.read_cards_of_members)

    @cached_property
    def identities(self) -> DataLoader[str, list[Identity] | None]:
        """Identities by member id, oldest first."""
        return self._by_id(members_sql.read_identities)

    @cached_property
    def consents(self) -> DataLoader[str, list[Consent] | None]:
        """The last consents by member id."""
        return self._by_id(members_sql.read_consents)

    @cached_property
    def membership(self) -> DataLoader[str, Membership | None]:
        """Memberships by id."""
        return self._by_id(memberships_sql.read_memberships)

    def membership_id_at(self, merchant_id: str) -> DataLoader[str, str | None]:
        """Ids of memberships at one merchant, by member id."""
        if merchant_id not in self._membership_id_at:
            self._membership_id_at[merchant_id] = self._by_id(
                lambda connection, member_ids: memberships_sql.read_membership_ids(
                    connection, member_ids=member_ids, merchant_id=merchant_id
                )
            )
        return self._membership_id_at[merchant_id]

    def _by_id(
        self, read: Callable[[Connection, Sequence[str]], Mapping[str, T]]
    ) -> DataLoader[str, T | None]:
        async def load(ids: list[str]) -> list[T | None]:
            found = await self._database.snapshot(lambda connection: read(connection, ids))
            return [found.get(id_) for id_ in ids]

        return DataLoader(load, max_batch_size=BATCH_MAX)
