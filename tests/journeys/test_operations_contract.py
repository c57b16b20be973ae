"""What clients send exists in the schema, with the names and types they were told."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    build_schema,
    parse,
    validate,
)

from tests.journeys.town import OPERATIONS

SDL = Path("schema.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)
DOCUMENT = parse(SDL)

ADMIN = (
    "AllianceSettings ConfigureAlliance AdmitMerchant OpenStore Merchants SettlementRules "
    "ClosePeriod Periods Period StatementEntries GrantCoins ProposeSettlementRule "
    "ApproveSettlementRule SetAllianceWeights RecordDeposit ReturnDeposit "
    "ResolveDispute RecordPayment "
    "ChangeMerchantState ParkedMessages ResumeMessage ParkedEvents ResumeEvent "
    "FreezeMember MergeMembers EraseMember UnmergeMembers"
)
MERCHANT = (
    "ConfirmStatement DisputeStatement "
    "Identify Join Quote HoldCheckout CaptureCheckout ExtendCheckout ReleaseCheckout Checkout "
    "RefundPreview RefundOrder Orders SetTierLadder CreateCouponTemplate IssueCoupons "
    "SetCouponTemplateState VoidCoupons SetPromotion SetPricingPolicy "
    "SetTierPolicy SetGrowthTask RecordTask SetPaidPlan SellPaidMembership RefundPaidMembership "
    "MyStatements MyStatement"
)
MEMBER = (
    "MyCard MyHistory MyOrders ShareCoupon TakeBackCoupon ClaimCoupon "
    "RequestVerificationCode LinkIdentity SetConsent ReplaceCard"
)


def test_every_operation_of_the_three_audiences_is_here() -> None:
    assert set(OPERATIONS) == set(f"{ADMIN} {MERCHANT} {MEMBER}".split())


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_operation_is_valid(name: str) -> None:
    assert validate(SCHEMA, parse(OPERATIONS[name])) == []
