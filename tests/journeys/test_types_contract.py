"""Types that clients send and know exist in the schema, as clients were told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLScalarType,
    InputObjectTypeDefinitionNode,
    build_schema,
    parse,
    print_ast,
)

SDL = Path("schema.graphql").read_text(encoding="utf-8")
SCHEMA = build_schema(SDL)
DOCUMENT = parse(SDL)

INPUTS = {
    "MoneyInput": {"amountMinor": "Long!", "currency": "CurrencyCode!"},
    "CredentialInput": {
        "cardToken": "String",
        "cardNumber": "String",
        "phone": "String",
        "email": "String",
        "wechatUnionId": "String",
        "wechatOpenId": "IssuedIdentityInput",
        "merchantReference": "IssuedIdentityInput",
    },
    "IssuedIdentityInput": {"issuer": "String!", "value": "String!"},
    "JoinInput": {
        "requestId": "ID!",
        "storeId": "ID!",
        "credential": "CredentialInput!",
        "consents": "[String!]!",
        "referralCode": "String",
        "profile": "ProfileInput",
    },
    "ProfileInput": {
        "displayName": "String",
        "birthday": "Date",
        "gender": "String",
        "region": "String",
    },
    "CartLineInput": {
        "sku": "String!",
        "categoryId": "String",
        "quantity": "Int!",
        "unitPrice": "MoneyInput!",
    },
    "CartInput": {
        "storeId": "ID!",
        "cardId": "ID",
        "lines": "[CartLineInput!]!",
        "couponIds": "[ID!]",
        "points": "Long",
        "coins": "MoneyInput",
        "shipping": "MoneyInput",
        "chooseBest": "Boolean = true",
    },
    "HoldCheckoutInput": {"requestId": "ID!", "cart": "CartInput!", "quoteVersion": "String!"},
    "ExtendCheckoutInput": {"requestId": "ID!", "checkoutId": "ID!"},
    "CaptureCheckoutInput": {"requestId": "ID!", "checkoutId": "ID!", "orderNo": "String!"},
    "ReleaseCheckoutInput": {"requestId": "ID!", "checkoutId": "ID!"},
    "CheckoutInput": {
        "requestId": "ID!",
        "cart": "CartInput!",
        "quoteVersion": "String",
        "orderNo": "String!",
    },
    "RefundLineInput": {"lineIndex": "Int!", "quantity": "Int!"},
    "RefundOrderInput": {
        "requestId": "ID!",
        "orderId": "ID!",
        "refundNo": "String!",
        "lines": "[RefundLineInput!]",
        "amount": "MoneyInput",
    },
    "TierStepInput": {
        "name": "String!",
        "nameEn": "String",
        "rank": "Int!",
        "threshold": "Long!",
        "benefits": "[BenefitInput!]",
    },
    "BenefitInput": {
        "kind": "String!",
        "title": "String!",
        "percentOffBps": "Int",
        "pointsMultiplierBps": "Int",
        "entitlement": "String",
    },
    "SetTierLadderInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "name": "String!",
        "primary": "Boolean = false",
        "metric": "TierMetric!",
        "window": "TierWindow = LIFETIME",
        "steps": "[TierStepInput!]!",
        "effectiveFrom": "DateTime",
    },
    "SetTierPolicyInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "combination": "TierCombination = ANY",
        "honoured": "[HonouredAllianceTierInput!]",
        "segments": "SegmentThresholdsInput",
    },
    "SetAllianceWeightsInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "weights": "[AllianceWeightInput!]!",
    },
    "RecordTaskInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "cardId": "ID!",
        "code": "String!",
        "reference": "String",
    },
    "SellPaidMembershipInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "cardId": "ID!",
        "code": "String!",
        "reference": "String!",
    },
    "RefundPaidMembershipInput": {"requestId": "ID!", "paidMembershipId": "ID!"},
    "CreateCouponTemplateInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "title": "String!",
        "kind": "CouponKind!",
        "amount": "MoneyInput",
        "percentOffBps": "Int",
        "cap": "MoneyInput",
        "minSpend": "MoneyInput!",
        "skus": "[String!]",
        "categoryIds": "[String!]",
        "channels": "[ChannelKind!]",
        "validFrom": "DateTime",
        "validUntil": "DateTime",
        "validDays": "Int",
        "quotaTotal": "Int",
        "quotaPerMember": "Int = 1",
        "stackingGroup": "String",
        "funder": "Funder = MERCHANT",
        "funderAllianceBps": "Int",
        "shareable": "Boolean = false",
        "forNewMembers": "Boolean = false",
    },
    "SetCouponTemplateStateInput": {
        "requestId": "ID!",
        "templateId": "ID!",
        "state": "CouponTemplateState!",
    },
    "VoidCouponsInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "couponIds": "[ID!]!",
        "reason": "String!",
    },
    "ShareCouponInput": {"requestId": "ID!", "couponId": "ID!"},
    "TakeBackCouponInput": {"requestId": "ID!", "couponId": "ID!"},
    "ClaimCouponInput": {
        "requestId": "ID!",
        "shareCode": "String!",
        "storeId": "ID",
        "credential": "CredentialInput",
        "consents": "[String!]",
    },
    "SetPromotionInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "promotionId": "ID",
        "title": "String!",
        "kind": "PromotionKind!",
        "startsAt": "DateTime!",
        "endsAt": "DateTime!",
        "threshold": "MoneyInput",
        "off": "MoneyInput",
        "percentOffBps": "Int",
        "price": "MoneyInput",
        "skus": "[String!]",
        "categoryIds": "[String!]",
        "stock": "Int",
        "earlyAccessRank": "Int",
        "earlyAccessMinutes": "Int",
        "membersOnly": "Boolean = false",
        "stacksWithMemberPrice": "Boolean = false",
        "weekdays": "[Int!]",
        "monthDays": "[Int!]",
    },
    "IssueCouponsInput": {"requestId": "ID!", "templateId": "ID!", "cardIds": "[ID!]!"},
    "ConfigureAllianceInput": {
        "requestId": "ID!",
        "currency": "CurrencyCode!",
        "timeZone": "String!",
        "earnPointsPerMajorUnit": "Int!",
        "memberPointValue": "Ratio!",
        "activationDaysStore": "Int!",
        "activationDaysOnline": "Int!",
        "expiry": "PointsExpiry!",
        "expiryMonths": "Int",
        "debtPolicy": "DebtPolicy!",
        "depositPolicy": "DepositPolicy!",
        "pointsCapBps": "Int!",
    },
    "AdmitMerchantInput": {
        "requestId": "ID!",
        "reference": "String!",
        "name": "String!",
        "nameEn": "String",
        "backend": "BackendInput!",
    },
    "BackendInput": {"kind": "BackendKind!", "endpoint": "String"},
    "OpenStoreInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "reference": "String!",
        "name": "String!",
        "channel": "ChannelKind!",
    },
    "GrantCoinsInput": {
        "requestId": "ID!",
        "cardId": "ID!",
        "amount": "MoneyInput!",
        "funderMerchantId": "ID",
        "reason": "String!",
    },
    "ProposeSettlementRuleInput": {
        "requestId": "ID!",
        "effectiveFrom": "DateTime!",
        "issuePrice": "Ratio!",
        "redeemPrice": "Ratio!",
        "issueFeeBps": "Int!",
        "redeemFeeBps": "Int!",
        "breakageIssuerBps": "Int!",
        "acceptTopUp": "Boolean = false",
    },
    "ChangeMerchantStateInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "state": "MerchantState!",
        "redeemUntil": "DateTime",
    },
    "ResumeMessageInput": {
        "requestId": "ID!",
        "messageId": "ID!",
        "discard": "Boolean = false",
    },
    "ResumeEventInput": {"requestId": "ID!", "eventId": "ID!"},
    "ConfirmStatementInput": {"requestId": "ID!", "periodId": "ID!", "merchantId": "ID!"},
    "DisputeStatementInput": {
        "requestId": "ID!",
        "periodId": "ID!",
        "merchantId": "ID!",
        "reason": "String!",
    },
    "ResolveDisputeInput": {
        "requestId": "ID!",
        "periodId": "ID!",
        "merchantId": "ID!",
        "adjustment": "MoneyInput!",
        "reason": "String!",
    },
    "RecordPaymentInput": {
        "requestId": "ID!",
        "periodId": "ID!",
        "merchantId": "ID!",
        "reference": "String!",
    },
    "RecordDepositInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "amount": "MoneyInput!",
        "reason": "String!",
    },
    "ReturnDepositInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "amount": "MoneyInput!",
        "reason": "String!",
    },
    "ApproveSettlementRuleInput": {"requestId": "ID!", "ruleId": "ID!"},
    "ClosePeriodInput": {"requestId": "ID!", "periodId": "ID!"},
    "RequestVerificationCodeInput": {"requestId": "ID!", "credential": "CredentialInput!"},
    "LinkIdentityInput": {
        "requestId": "ID!",
        "memberId": "ID!",
        "credential": "CredentialInput!",
        "verificationCode": "String",
    },
    "SetConsentInput": {
        "requestId": "ID!",
        "merchantId": "ID!",
        "purpose": "String!",
        "granted": "Boolean!",
    },
    "ReplaceCardInput": {"requestId": "ID!", "cardId": "ID!", "reason": "String!"},
    "MergeMembersInput": {
        "requestId": "ID!",
        "survivorId": "ID!",
        "mergedId": "ID!",
        "dryRun": "Boolean = true",
    },
    "FreezeMemberInput": {
        "requestId": "ID!",
        "memberId": "ID!",
        "frozen": "Boolean!",
        "reason": "String!",
    },
}
ENUMS = {
    "CurrencyCode": "CNY GBP USD EUR HKD",
    "ChannelKind": "STORE_POS WEB_SHOP MINI_PROGRAM APP",
    "CouponState": "ISSUED LOCKED REDEEMED TRANSFERRED EXPIRED VOID",
    "OrderState": "PAID PARTIALLY_REFUNDED REFUNDED",
    "CheckoutState": "OPENING HELD CAPTURING CAPTURED RELEASING RELEASED",
    "DecisionOutcome": "APPLIED REFUSED NOT_EVALUATED",
    "TierMetric": "PURCHASE_COUNT AMOUNT GROWTH",
    "TierWindow": "LIFETIME ROLLING_12_MONTHS CALENDAR_YEAR",
    "CouponKind": "AMOUNT_OFF PERCENT_OFF SHIPPING GIFT EXCHANGE",
    "Funder": "MERCHANT ALLIANCE SPLIT",
    "IdentityKind": "PHONE EMAIL WECHAT_UNION_ID WECHAT_OPEN_ID CARD_TOKEN CARD_NUMBER "
    "MERCHANT_REFERENCE",
    "BackendKind": "HOSTED REMOTE",
    "PointsExpiry": "NONE MONTHS YEAR_END",
    "DebtPolicy": "DEBT WITHIN_BALANCE DEDUCT_FROM_REFUND_CASH",
    "DepositPolicy": "OFF REQUIRED",
}


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_the_input_takes_what_clients_send(name: str) -> None:
    found = _fields_of(name)

    assert {known: found.get(known) for known in INPUTS[name]} == INPUTS[name]
    added = set(found) - set(INPUTS[name])
    assert all(not found[field_name].endswith("!") for field_name in added)


def test_a_credential_is_exactly_one_of_its_fields() -> None:
    [definition] = [d for d in DOCUMENT.definitions if _name_of(d) == "CredentialInput"]

    assert [directive.name.value for directive in definition.directives] == ["oneOf"]


def _fields_of(name: str) -> dict[str, str]:
    """Type of each field of an input, with its default unless that is null."""
    [definition] = [d for d in DOCUMENT.definitions if _name_of(d) == name]
    assert isinstance(definition, InputObjectTypeDefinitionNode)
    found = {}
    for field in definition.fields:
        default = "" if field.default_value is None else f" = {print_ast(field.default_value)}"
        found[field.name.value] = print_ast(field.type) + default.removesuffix(" = null")
    return found


def _name_of(definition: Any) -> str | None:
    return definition.name.value if getattr(definition, "name", None) else None


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_the_enum_has_every_value_that_clients_know(name: str) -> None:
    given = SCHEMA.type_map[name]

    assert isinstance(given, GraphQLEnumType)
    assert set(ENUMS[name].split()) <= set(given.values)


@pytest.mark.parametrize("name", ["Long", "Ratio", "DateTime", "Date"])
def test_the_scalar_exists(name: str) -> None:
    assert isinstance(SCHEMA.type_map[name], GraphQLScalarType)
