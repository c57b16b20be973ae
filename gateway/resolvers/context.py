"""What every resolver of the alliance subgraph is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import strawberry
from graphql import GraphQLError

from kernel.callers import Caller

if TYPE_CHECKING:
    from gateway.alliance import AllianceSubgraph


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


AllianceInfo: TypeAlias = strawberry.Info[AllianceContext, None]
