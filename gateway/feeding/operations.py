"""The GraphQL operations that fill an alliance, as admins and merchants would send them."""

from __future__ import annotations

CONFIGURE_ALLIANCE = """mutation ConfigureAlliance($input: ConfigureAllianceInput!) {
  configureAlliance(input: $input) {
    __typename
    ... on AllianceConfigured { settings { version merchant { id } } }
    ... on Refusal { code message }
  }
}"""

ADMIT_MERCHANT = """mutation AdmitMerchant($input: AdmitMerchantInput!) {
  admitMerchant(input: $input) {
    __typename
    ... on MerchantAdmitted { merchant { id } }
    ... on Refusal { code message }
  }
}"""

OPEN_STORE = """mutation OpenStore($input: OpenStoreInput!) {
  openStore(input: $input) {
    __typename
    ... on StoreOpened { store { id } }
    ... on Refusal { code message }
  }
}"""

SET_TIER_LADDER = """mutation SetTierLadder($input: SetTierLadderInput!) {
  setTierLadder(input: $input) {
    __typename
    ... on TierLadderSet { ladder { version } }
    ... on Refusal { code message }
  }
}"""

CREATE_COUPON_TEMPLATE = """mutation CreateCouponTemplate($input: CreateCouponTemplateInput!) {
  createCouponTemplate(input: $input) {
    __typename
    ... on CouponTemplateCreated { template { id } }
    ... on Refusal { code message }
  }
}"""

ISSUE_COUPONS = """mutation IssueCoupons($input: IssueCouponsInput!) {
  issueCoupons(input: $input) {
    __typename
    ... on CouponsIssued { coupons { id } }
    ... on Refusal { code message }
  }
}"""

JOIN = """mutation Join($input: JoinInput!) {
  join(input: $input) {
    __typename
    ... on Joined { member { id card { id number } } }
    ... on Refusal { code message retryable }
  }
}"""

CHECKOUT = """mutation Checkout($input: CheckoutInput!) {
  checkout(input: $input) {
    __typename
    ... on CheckoutCaptured { order { id } }
    ... on Refusal { code message retryable }
  }
}"""

REFUND_ORDER = """mutation RefundOrder($input: RefundOrderInput!) {
  refundOrder(input: $input) {
    __typename
    ... on OrderRefunded { refund { id cash { amountMinor } } }
    ... on RefundExceedsOrderRefusal { refundable { amountMinor } }
    ... on Refusal { code message retryable }
  }
}"""

CLOSE_PERIOD = """mutation ClosePeriod($input: ClosePeriodInput!) {
  closePeriod(input: $input) {
    __typename
    ... on PeriodClosed { period { id state } }
    ... on Refusal { code message retryable }
  }
}"""

PERIODS = """query Periods($after: String) {
  clearingPeriods(first: 24, after: $after) {
    edges { node { id state from to zeroSum } }
    pageInfo { hasNextPage endCursor }
  }
}"""

ALLIANCE = "query Alliance { allianceSettings { merchant { id } } }"

POINTS = "query Points($id: ID!) { node(id: $id) { ... on Card { points { available } } } }"

PAYABLE = "query Payable($id: ID!) { node(id: $id) { ... on Order { payable { amountMinor } } } }"
