"""A merchant changes its own rules: ladders, templates, promotions. One answer per request id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from kernel.callers import Caller
from kernel.clock import to_micros
from kernel.refusals import InvalidInput, NotFound
from kernel.requests import Answer
from merchants.changes.answering import answer_once, merchant_of_id
from merchants.coupons.issuing import create_template, issue_to_cards, require_active
from merchants.coupons.lifecycle import set_template_state, void_coupons
from merchants.coupons.template_life import CouponTemplateState
from merchants.coupons.templates import TemplateDraft
from merchants.coupons.templates_sql import Template, read_template
from merchants.hosted import HostedBackend
from merchants.ladders.standings import set_ladder
from merchants.ladders.tiers import Ladder
from merchants.policy_sql import read_policy, write_policy
from merchants.pricing.policy import PricingPolicy, policy_problems
from merchants.promotions.setting import set_promotion
from merchants.promotions.terms import PromotionTerms
from merchants.registry_sql import read_state
from merchants.rights import require_may_act_for, require_may_decide_for

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
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            if wanted.effective_from < now - SKEW_MAX:
                raise InvalidInput.at(
                    "effectiveFrom", "must not be before now: rules never look back"
                )
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
            self._require_decider(connection, merchant_id)
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

    async def set_promotion(
        self,
        merchant_id: str,
        terms: PromotionTerms,
        *,
        promotion_id: str | None,
        request_id: str,
        body: object,
    ) -> Answer:
        """The outcome: `promotionId` and `version`.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            made_id, version = set_promotion(
                connection,
                terms,
                merchant_id=merchant_id,
                promotion_id=promotion_id,
                now=now,
                ids=self._backend.ids,
            )
            return {"merchantId": merchant_id, "promotionId": made_id, "version": version}

        return await self._answer("setPromotion", request_id, body, work)

    async def set_pricing_policy(
        self,
        merchant_id: str,
        discount_cap_bps: int | None,
        *,
        request_id: str,
        body: object,
    ) -> Answer:
        """The outcome: `version` of the merchant's limits of discounts.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            problems = policy_problems(discount_cap_bps)
            if problems:
                raise InvalidInput(problems)
            before = read_policy(connection, merchant_id)
            made = PricingPolicy(before.version + 1 if before else 1, discount_cap_bps)
            write_policy(connection, merchant_id, made, set_at=to_micros(now))
            return {"merchantId": merchant_id, "version": made.version}

        return await self._answer("setPricingPolicy", request_id, body, work)

    async def issue(
        self, template_id: str, card_ids: Sequence[str], *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `couponIds`, one per card in their order.

        Refuses NotFound, MerchantNotActive, InvalidInput, NotAMember, NotInAudience,
        QuotaExhausted.
        """
        now = self._backend.clock.now()

        def work(connection: Connection) -> dict[str, Any]:
            template = self._template(connection, template_id)
            merchant_id = template.merchant_id
            coupon_ids = issue_to_cards(
                connection,
                template,
                card_ids,
                now=now,
                zone=self._backend.settings().facts.zone,
                ids=self._backend.ids,
            )
            return {"merchantId": merchant_id, "couponIds": coupon_ids}

        return await self._answer("issueCoupons", request_id, body, work)

    async def set_template_state(
        self, template_id: str, state: CouponTemplateState, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `merchantId` and `templateId`.

        Refuses NotFound, MerchantNotActive, TemplateStateUnreachable.
        """

        def work(connection: Connection) -> dict[str, Any]:
            template = self._template(connection, template_id)
            require_may_decide_for(self._caller, template.merchant_id, named=template_id)
            if state is CouponTemplateState.ACTIVE:
                require_active(connection, template.merchant_id)
            set_template_state(connection, template, state)
            return {"merchantId": template.merchant_id, "templateId": template_id}

        return await self._answer("setCouponTemplateState", request_id, body, work)

    async def void_coupons(
        self,
        merchant_id: str,
        coupon_ids: Sequence[str],
        *,
        reason: str,
        request_id: str,
        body: object,
    ) -> Answer:
        """The outcome: `merchantId` and `couponIds`.

        Refuses NotFound, InvalidInput, CouponNotFree.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_known(connection, merchant_id)
            void_coupons(connection, merchant_id=merchant_id, coupon_ids=coupon_ids, reason=reason)
            return {"merchantId": merchant_id, "couponIds": list(coupon_ids)}

        return await self._answer("voidCoupons", request_id, body, work)

    def _template(self, connection: Connection, template_id: str) -> Template:
        merchant_id = merchant_of_id(template_id, "tpl")
        require_may_act_for(self._caller, merchant_id, named=template_id)
        template = read_template(connection, merchant_id=merchant_id, template_id=template_id)
        if template is None:
            raise NotFound(template_id)
        return template

    def _require_known(self, connection: Connection, merchant_id: str) -> None:
        require_may_act_for(self._caller, merchant_id, named=merchant_id)
        if read_state(connection, merchant_id) is None:
            raise NotFound(merchant_id)

    def _require_decider(self, connection: Connection, merchant_id: str) -> None:
        require_may_decide_for(self._caller, merchant_id, named=merchant_id)
        self._require_known(connection, merchant_id)

    async def _answer(
        self,
        operation: str,
        request_id: str,
        body: object,
        work: Callable[[Connection], dict[str, Any]],
    ) -> Answer:
        return await answer_once(
            self._backend, self._caller, operation, request_id=request_id, body=body, work=work
        )
