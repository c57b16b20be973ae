"""A merchant changes its own rules: ladders, templates, coupons. One answer per request id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.ids import MalformedId, is_id, merchant_of
from kernel.refusals import InvalidInput, NotFound
from kernel.requests import REQUEST_ID_MAX, Answer, RequestKey, RequestLog, hash_of
from merchants.coupons import TemplateDraft
from merchants.hosted import HostedBackend
from merchants.issuing import create_template, issue_to_cards, require_active
from merchants.registry_sql import read_state
from merchants.rights import require_may_act_for
from merchants.standings import set_ladder
from merchants.tables import requests
from merchants.templates_sql import read_template
from merchants.tiers import Ladder

_log = RequestLog(requests)
SKEW_MAX = timedelta(minutes=5)
"""How much a client's clock may be behind."""


class Rulebook:
    """Use cases of a merchant's staff, or of an admin."""

    def __init__(self, backend: HostedBackend, caller: Caller) -> None:
        self._backend = backend
        self._caller = caller

    async def set_ladder(
        self, merchant_id: str, wanted: Ladder, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `name` and `version` of the ladder's new version.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            self._require_known(connection, merchant_id)
            require_active(connection, merchant_id)
            if wanted.effective_from < now - SKEW_MAX:
                raise InvalidInput.at("effectiveFrom", "Not before now: rules never look back.")
            made = set_ladder(connection, merchant_id, wanted, now=now)
            return {"merchantId": merchant_id, "name": made.name, "version": made.version}

        return await self._answer("setTierLadder", request_id, body, work)

    async def create_template(
        self, merchant_id: str, draft: TemplateDraft, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `templateId` and `warnings`.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            self._require_known(connection, merchant_id)
            template_id, warnings = create_template(
                connection,
                draft,
                merchant_id=merchant_id,
                now=now,
                ids=self._backend.ids,
                may_spend_alliance_money=self._caller.is_admin,
            )
            return {"merchantId": merchant_id, "templateId": template_id, "warnings": warnings}

        return await self._answer("createCouponTemplate", request_id, body, work)

    async def issue(
        self, template_id: str, card_ids: Sequence[str], *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `couponIds`, one per card in their order.

        Refuses NotFound, MerchantNotActive, InvalidInput, NotAMember, QuotaExhausted.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            merchant_id = _merchant_of_template(template_id)
            require_may_act_for(self._caller, merchant_id, named=template_id)
            template = read_template(connection, merchant_id=merchant_id, template_id=template_id)
            if template is None:
                raise NotFound(template_id)
            coupon_ids = issue_to_cards(
                connection, template, card_ids, now=now, ids=self._backend.ids
            )
            return {"merchantId": merchant_id, "couponIds": coupon_ids}

        return await self._answer("issueCoupons", request_id, body, work)

    def _require_known(self, connection: Connection, merchant_id: str) -> None:
        require_may_act_for(self._caller, merchant_id, named=merchant_id)
        if read_state(connection, merchant_id) is None:
            raise NotFound(merchant_id)

    async def _answer(
        self,
        operation: str,
        request_id: str,
        body: object,
        work: Callable[[Connection], dict[str, Any]],
    ) -> Answer:
        if not 1 <= len(request_id) <= REQUEST_ID_MAX:
            raise InvalidInput.at("requestId", f"1 to {REQUEST_ID_MAX} characters.")
        key = RequestKey(self._caller.key, operation, request_id, hash_of(body))
        now = self._backend.clock.now()
        return await self._backend.database.transaction(
            lambda connection: _log.answer_once(
                connection, key, now=now, work=lambda: work(connection)
            )
        )


def _merchant_of_template(template_id: str) -> str:
    try:
        merchant_id = merchant_of(template_id)
    except MalformedId as error:
        raise NotFound(template_id) from error
    if not is_id(template_id, "tpl", within_merchant=True):
        raise NotFound(template_id)
    return merchant_id
