"""What every resolver of the alliance subgraph is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import strawberry
from graphql import GraphQLError

from gateway.membership.loaders import MembershipLoaders
from kernel.callers import Caller, CallerKind

if TYPE_CHECKING:
    from gateway.alliance.subgraph import AllianceSubgraph


class Unauthenticated(GraphQLError):
    """The request carries no token."""

    def __init__(self) -> None:
        super().__init__("A token is needed.", extensions={"code": "UNAUTHENTICATED"})


class AllianceContext:
    """One request: who asks, of which alliance."""

    def __init__(
        self,
        alliance: AllianceSubgraph,
        *,
        caller: Caller | None,
        request_id: str = "",
        language: str = "",
    ) -> None:
        self.alliance = alliance
        self.request_id = request_id
        self.language = language
        self.loaders = MembershipLoaders(alliance.database)
        self._caller = caller

    @property
    def caller(self) -> Caller:
        """Who asks.

        Raises:
            Unauthenticated: no one that is known.
        """
        if self._caller is None:
            raise Unauthenticated
        return self._caller

    async def may_see_standing(self, member_id: str) -> bool:
        """Whether the caller may see a member's status, card number and card status.

        Source: docs/rules/identity.md, rule 9.
        """
        caller = self.caller
        member = await self.loaders.member.load(member_id)
        if member is None:
            return False
        if caller.kind is CallerKind.MERCHANT:
            at_merchant = self.loaders.membership_id_at(caller.subject)
            return await at_merchant.load(member.id) is not None
        return caller.is_admin or caller.is_member(member.id)


AllianceInfo: TypeAlias = strawberry.Info[AllianceContext, None]
