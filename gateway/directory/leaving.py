"""Suspends merchants, lets them sell again, and lets them leave. See docs/rules/merchants.md."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.alliance.begun_work import BegunWork
from gateway.alliance.tables import REQUESTS
from gateway.directory import directory_sql
from gateway.directory.directory import Directory
from gateway.directory.entries import Merchant, MerchantState
from gateway.directory.health import BackendSilent
from kernel.callers import Caller
from kernel.clock import Clock
from kernel.database import Database, DatabaseUnavailable, Overloaded
from kernel.graphql import Forbidden
from kernel.refusals import InvalidInput, NotFound
from kernel.request_keys import request_key
from kernel.requests import RequestKey
from merchants import port
from merchants.refusals import MerchantNotActive

NOTICE = timedelta(days=30)
"""How long before its last day of redemption a merchant's leaving is announced, at least."""

NOTICE_MAX = timedelta(days=366)

_FOLLOWING = {
    MerchantState.ACTIVE: {MerchantState.SUSPENDED, MerchantState.WINDING_DOWN},
    MerchantState.SUSPENDED: {MerchantState.ACTIVE, MerchantState.WINDING_DOWN},
    MerchantState.WINDING_DOWN: {MerchantState.LEFT},
}
"""The states that an admin may give a merchant, by the one that it is in."""


@dataclass(frozen=True, slots=True)
class ChangeMerchantState:
    """Asks to give a merchant another state.

    Attributes:
        redeem_until: first instant at which a merchant that winds down sells no more.
    """

    request_id: str
    merchant_id: str
    state: MerchantState
    redeem_until: datetime | None


@dataclass(frozen=True, slots=True)
class MerchantStateChanged:
    """The merchant is in the state."""

    merchant: Merchant
    replayed: bool


class Leaving:
    """The states of merchants after their admission."""

    def __init__(
        self,
        *,
        database: Database,
        directory: Directory,
        backend: port.Backend,
        begun: BegunWork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._directory = directory
        self._backend = backend
        self._begun = begun
        self._clock = clock

    async def change_state(
        self, caller: Caller, command: ChangeMerchantState
    ) -> MerchantStateChanged:
        """Gives a merchant another state, and tells its backend.

        Raises:
            Forbidden: the caller is no admin.
            InvalidInput: the last day of redemption is missing, too near, too far or out of
                place, or has not come.
            NotFound: there is no such merchant.
            MerchantNotActive: the state that it is in does not lead there.
            RequestIdReused: the request id came with another input.
            BackendSilent: it is done, and its backend has not heard; a repeat tells it.
        """
        if not caller.is_admin:
            raise Forbidden
        key = request_key(caller, "changeMerchantState", command)
        return await self._begun.carry_out(self._change(command, key))

    async def finish(self) -> None:
        """Tells every backend the state of its merchant, should a crash have kept it from it.

        One that does not answer is told the next time.
        """
        for merchant in await self._database.snapshot(directory_sql.read_merchants):
            if merchant.state is not MerchantState.APPLIED:
                with contextlib.suppress(BackendSilent):
                    await self._tell(merchant.id)

    async def _change(self, command: ChangeMerchantState, key: RequestKey) -> MerchantStateChanged:
        now = self._clock.now()

        def change(connection: Connection) -> dict[str, Any]:
            merchant = directory_sql.read_merchant(connection, command.merchant_id)
            if merchant is None or merchant.is_alliance:
                raise NotFound(id=command.merchant_id)
            check_change(merchant, command, now=now)
            directory_sql.update_merchant_state(connection, merchant.id, state=command.state)
            if command.redeem_until is not None:
                directory_sql.insert_leaving(
                    connection, merchant.id, announced_at=now, redeem_until=command.redeem_until
                )
            if command.state is MerchantState.LEFT:
                directory_sql.update_left(connection, merchant.id, left_at=now)
            return {"merchantId": merchant.id}

        answer = await self._database.transaction(
            lambda connection: REQUESTS.answer_once(
                connection, key, now=now, work=lambda: change(connection)
            )
        )
        merchant_id = answer.success()["merchantId"]
        merchant = await self._tell(merchant_id)
        return MerchantStateChanged(merchant, answer.replayed)

    async def _tell(self, merchant_id: str) -> Merchant:
        """Tells the directory and the backend the state of now; the merchant as it was told.

        Source: docs/rules/merchants.md, rule 10.
        """
        merchant, version = await self._database.snapshot(
            lambda connection: directory_sql.read_state_to_tell(connection, merchant_id)
        )
        self._directory.put_merchant(merchant, version=version)
        state = port.MerchantState(merchant.state.value)
        try:
            await self._backend.register(
                merchant_id, state, version=version, ends_at=merchant.redeem_until
            )
        except (DatabaseUnavailable, Overloaded) as error:
            raise BackendSilent(merchant_id) from error
        return merchant


def check_change(merchant: Merchant, command: ChangeMerchantState, *, now: datetime) -> None:
    """Accepts a change that the merchant's state leads to.

    Raises:
        InvalidInput: the last day of redemption is missing, too near, too far or out of place,
            or has not come.
        MerchantNotActive: the state does not lead there.

    Source: docs/rules/merchants.md, rules 7 and 8.
    """
    until = command.redeem_until
    if (until is not None) != (command.state is MerchantState.WINDING_DOWN):
        raise InvalidInput.at("redeemUntil", "must be given exactly when state is WINDING_DOWN")
    if command.state is MerchantState.APPLIED:
        raise InvalidInput.at("state", "must be ACTIVE, SUSPENDED, WINDING_DOWN or LEFT")
    if command.state not in _FOLLOWING.get(merchant.state, ()):
        raise MerchantNotActive(merchant_id=merchant.id)
    if until is not None and not NOTICE <= until - now <= NOTICE_MAX:
        raise InvalidInput.at(
            "redeemUntil", f"must be {NOTICE.days} to {NOTICE_MAX.days} days from now"
        )
    if command.state is MerchantState.LEFT and not merchant.has_wound_down(now):
        raise InvalidInput.at("state", "can be LEFT only once redemption has ended")
