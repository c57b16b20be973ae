"""A merchant's tiers beside its ladders: policies, tasks, paid plans. One answer per request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from kernel.clock import to_micros
from kernel.ids import is_id, merchant_of
from kernel.refusals import InvalidInput, NotFound
from kernel.requests import Answer
from merchants.cards.aliases_sql import read_survivor
from merchants.changes.rulebook import Rulebook
from merchants.coupons.issuing import require_active
from merchants.ladders.growing import do_task, set_task
from merchants.ladders.growth import GrowthTask
from merchants.ladders.paid import PaidPlan
from merchants.ladders.policies import (
    WEIGHT_MAX_BPS,
    WEIGHTS_MAX,
    TierPolicy,
    policy_problems,
)
from merchants.ladders.policies_sql import NO_POLICY, insert_policy, read_policies
from merchants.ladders.selling import refund_paid, sell_plan, set_plan
from merchants.rights import require_may_act_for


class TierBook(Rulebook):
    """Use cases of a merchant's staff, or of an admin."""

    async def set_tier_policy(
        self, merchant_id: str, wanted: TierPolicy, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `merchantId`, and `version` of the policy.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            problems = policy_problems(wanted)
            if problems:
                raise InvalidInput(problems)
            before = self._policy(connection, merchant_id)
            return self._keep(
                connection, merchant_id, before, replace(wanted, weights=before.weights)
            )

        return await self._answer("setTierPolicy", request_id, body, work)

    async def set_weights(
        self, merchant_id: str, weights: Mapping[str, int], *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `merchantId`, and `version` of the policy.

        Refuses NotFound, MerchantNotActive, InvalidInput.

        Source: docs/rules/tiers.md, rule 16.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            if merchant_id != self._backend.settings().alliance_merchant_id:
                raise InvalidInput.at(
                    "merchantId", "must be the alliance's own: only its ladders weigh others"
                )
            problems = _weight_problems(weights)
            if problems:
                raise InvalidInput(problems)
            before = self._policy(connection, merchant_id)
            return self._keep(connection, merchant_id, before, replace(before, weights=weights))

        return await self._answer("setAllianceWeights", request_id, body, work)

    async def set_task(
        self, merchant_id: str, task: GrowthTask, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `merchantId` and `code`.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            set_task(connection, merchant_id, task, now=self._backend.clock.now())
            return {"merchantId": merchant_id, "code": task.code}

        return await self._answer("setGrowthTask", request_id, body, work)

    async def record_task(
        self,
        merchant_id: str,
        card_id: str,
        *,
        code: str,
        reference: str | None,
        request_id: str,
        body: object,
    ) -> Answer:
        """The outcome: `growth` that the task gave, and whether it `counted` now.

        Refuses NotFound, NotAMember, TaskCapReached, MerchantNotActive, InvalidInput.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_known(connection, merchant_id)
            now_card_id = read_survivor(connection, merchant_id, card_id) or card_id
            growth, counted = do_task(
                connection,
                merchant_id,
                now_card_id,
                code=code,
                reference=request_id if reference is None else reference,
                now=self._backend.clock.now(),
                alliance=self._backend.settings().facts,
                evaluator=self._backend.evaluator,
            )
            return {
                "merchantId": merchant_id,
                "cardId": now_card_id,
                "growth": growth,
                "counted": counted,
            }

        return await self._answer("recordTask", request_id, body, work)

    async def set_plan(
        self, merchant_id: str, plan: PaidPlan, *, request_id: str, body: object
    ) -> Answer:
        """The outcome: `merchantId` and `code`.

        Refuses NotFound, MerchantNotActive, InvalidInput.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_decider(connection, merchant_id)
            require_active(connection, merchant_id)
            made = set_plan(connection, merchant_id, plan)
            return {"merchantId": merchant_id, "code": made.code}

        return await self._answer("setPaidPlan", request_id, body, work)

    async def sell_plan(
        self,
        merchant_id: str,
        card_id: str,
        *,
        code: str,
        reference: str,
        request_id: str,
        body: object,
    ) -> Answer:
        """The outcome: `paidId`.

        Refuses NotFound, NotAMember, MerchantNotActive, InvalidInput.
        """

        def work(connection: Connection) -> dict[str, Any]:
            self._require_known(connection, merchant_id)
            bought = sell_plan(
                connection,
                merchant_id,
                read_survivor(connection, merchant_id, card_id) or card_id,
                code=code,
                reference=reference,
                paid_id=self._backend.ids.new_within("pam", merchant_id),
                now=self._backend.clock.now(),
            )
            return {"merchantId": merchant_id, "paidId": bought.id}

        return await self._answer("sellPaidMembership", request_id, body, work)

    async def refund_paid(self, paid_id: str, *, request_id: str, body: object) -> Answer:
        """The outcome: `paidId`.

        Refuses NotFound, PaidMembershipOver.
        """

        def work(connection: Connection) -> dict[str, Any]:
            merchant_id = _merchant_of_paid(paid_id)
            require_may_act_for(self._caller, merchant_id, named=paid_id)
            refund_paid(connection, merchant_id, paid_id, now=self._backend.clock.now())
            return {"merchantId": merchant_id, "paidId": paid_id}

        return await self._answer("refundPaidMembership", request_id, body, work)

    def _policy(self, connection: Connection, merchant_id: str) -> TierPolicy:
        """The latest policy, whatever this server's clock says of its instant."""
        return read_policies(connection, [merchant_id], at=2**62).get(merchant_id, NO_POLICY)

    def _keep(
        self, connection: Connection, merchant_id: str, before: TierPolicy, wanted: TierPolicy
    ) -> dict[str, Any]:
        policy = replace(wanted, version=before.version + 1)
        now = to_micros(self._backend.clock.now())
        insert_policy(connection, merchant_id, policy, set_at=now)
        return {"merchantId": merchant_id, "version": policy.version}


def _merchant_of_paid(paid_id: str) -> str:
    if not is_id(paid_id, "pam", within_merchant=True):
        raise NotFound(paid_id)
    return merchant_of(paid_id)


def _weight_problems(weights: Mapping[str, int]) -> list[list[str]]:
    problems = []
    if len(weights) > WEIGHTS_MAX:
        problems.append(["weights", f"must name at most {WEIGHTS_MAX} merchants"])
    for index, (merchant_id, weight_bps) in enumerate(weights.items()):
        if not is_id(merchant_id, "mer"):
            problems.append([f"weights.{index}.merchantId", "must be the id of a merchant, mer_…"])
        if not 0 <= weight_bps <= WEIGHT_MAX_BPS:
            problems.append([f"weights.{index}.weightBps", f"must be 0 to {WEIGHT_MAX_BPS}"])
    return problems
