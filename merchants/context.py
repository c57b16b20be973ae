"""What travels with one client request through this subgraph."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from kernel.callers import Caller, CallerKind
from kernel.graphql import Forbidden
from merchants.hosted import HostedBackend
from merchants.loaders import Loaders


@dataclass(frozen=True, slots=True)
class MerchantsContext:
    """The caller of one request, and the reads made for it."""

    caller: Caller | None
    request_id: str
    language: str
    backend: HostedBackend
    loaders: Loaders

    @property
    def currency(self) -> str:
        """The alliance's currency."""
        return self.backend.settings().currency

    @property
    def merchant_caller(self) -> Caller:
        """The caller, who is a merchant or an admin.

        Raises:
            Forbidden: it is nobody, or a member.
        """
        if self.caller is None or self.caller.kind is CallerKind.MEMBER:
            raise Forbidden
        return self.caller

    @property
    def member_caller(self) -> tuple[Caller, str]:
        """The caller, who is a member, and its card.

        Raises:
            Forbidden: it is nobody, a merchant or an admin.
        """
        caller = self.caller
        if caller is None or caller.kind is not CallerKind.MEMBER or caller.card_id is None:
            raise Forbidden
        return caller, caller.card_id


MerchantsInfo = strawberry.Info[MerchantsContext, None]
