"""A till that speaks GraphQL to the alliance subgraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import graphql

from kernel.callers import Caller
from tests.gateway.checkout.town import Town

REFUSALS = """
  ... on Refusal { code message retryable }
  ... on InvalidInputRefusal { problems { field message } }
  ... on NotFoundRefusal { id }
"""
CAPTURED = """
  __typename
  ... on CheckoutCaptured {
    replayed order { id merchantId } card { id } membership { id merchantId }
    absorbed { amountMinor currency }
  }
"""
TAKING = """
  ... on QuoteStaleRefusal { quote { version payable { amountMinor } } }
  ... on CouponTakenRefusal { coupon { id } takenAtStore { id name } takenAt }
  ... on InsufficientPointsRefusal { available requested }
  ... on InsufficientCoinsRefusal { availableCoins { amountMinor } requestedCoins { amountMinor } }
  ... on DebtOpenRefusal { debt }
  ... on MerchantNotActiveRefusal { merchant { id } }
"""
CHECKOUT = "checkout { id state expiresAt payable { amountMinor } order { id } }"
TERMS = """
  cash { amountMinor } pointsReturned coinsReturned { amountMinor } pointsClawedBack debtCreated
  couponOutcome
"""
DOCUMENTS = {
    "quote": f"""query($cart: CartInput!) {{ answer: quote(cart: $cart) {{
      __typename
      ... on Quote {{
        version list {{ amountMinor }} payable {{ amountMinor }}
        anonymousPayable {{ amountMinor }} pointsSpent coinsSpent {{ amountMinor }} pointsToEarn
        lines {{ index payable {{ amountMinor }} allocations {{ decisionId }} }}
        decisions {{ id kind outcome reason amount {{ amountMinor }} }}
      }}
      ... on MerchantNotActiveRefusal {{ merchant {{ id }} }} {REFUSALS} }} }}""",
    "refundPreview": f"""query($orderId: ID!, $lines: [RefundLineInput!], $amount: MoneyInput) {{
      answer: refundPreview(orderId: $orderId, lines: $lines, amount: $amount) {{
        __typename ... on RefundTerms {{ {TERMS} }}
        ... on RefundExceedsOrderRefusal {{ refundable {{ amountMinor }} }} {REFUSALS} }} }}""",
    "holdCheckout": f"""mutation($input: HoldCheckoutInput!) {{
      answer: holdCheckout(input: $input) {{
        __typename ... on CheckoutHeld {{ replayed {CHECKOUT} }} {TAKING} {REFUSALS} }} }}""",
    "extendCheckout": f"""mutation($input: ExtendCheckoutInput!) {{
      answer: extendCheckout(input: $input) {{
        __typename ... on CheckoutExtended {{ replayed {CHECKOUT} }}
        ... on CheckoutClosedRefusal {{ {CHECKOUT} }}
        ... on ExtensionUsedRefusal {{ {CHECKOUT} }} {REFUSALS} }} }}""",
    "captureCheckout": f"""mutation($input: CaptureCheckoutInput!) {{
      answer: captureCheckout(input: $input) {{ {CAPTURED}
        ... on OrderConflictRefusal {{ order {{ id }} }} {REFUSALS} }} }}""",
    "releaseCheckout": f"""mutation($input: ReleaseCheckoutInput!) {{
      answer: releaseCheckout(input: $input) {{
        __typename ... on CheckoutReleased {{ replayed {CHECKOUT} }}
        ... on CheckoutClosedRefusal {{ {CHECKOUT} }} {REFUSALS} }} }}""",
    "checkout": f"""mutation($input: CheckoutInput!) {{
      answer: checkout(input: $input) {{ {CAPTURED} {TAKING}
        ... on OrderConflictRefusal {{ order {{ id }} }} {REFUSALS} }} }}""",
    "refundOrder": f"""mutation($input: RefundOrderInput!) {{
      answer: refundOrder(input: $input) {{
        __typename
        ... on OrderRefunded {{
          replayed refund {{ id refundNo {TERMS} }} order {{ id }} card {{ id }}
        }}
        ... on RefundExceedsOrderRefusal {{ refundable {{ amountMinor }} }}
        ... on RefundConflictRefusal {{ order {{ id }} }} {REFUSALS} }} }}""",
}


def yuan(amount_minor: int) -> dict[str, Any]:
    return {"amountMinor": amount_minor, "currency": "CNY"}


@dataclass
class Till:
    """One till of a town."""

    town: Town
    caller: Caller | None = None

    async def ask(self, operation: str, variables: dict[str, Any]) -> Any:
        """The answer of a root field that succeeded or refused."""
        result = await graphql(
            self.town.alliance.schema.executable,
            DOCUMENTS[operation],
            context_value=self.town.alliance.context_for(self.caller or self.town.till()),
            variable_values=variables,
        )
        assert result.errors is None, result.errors
        assert result.data is not None
        return result.data["answer"]

    async def change(self, operation: str, request_id: str | None = None, **fields: Any) -> Any:
        """The answer of a mutation."""
        given = {"requestId": request_id or self.town.request_id(), **fields}
        return await self.ask(operation, {"input": given})

    def cart(self, *prices: int, card: str | None = "ann", **more: Any) -> dict[str, Any]:
        """One unit of each price at the tea shop."""
        cart = {
            "storeId": self.town.names.tea_shop,
            "lines": [
                {"sku": f"sku-{index}", "quantity": 1, "unitPrice": yuan(price)}
                for index, price in enumerate(prices)
            ],
            **more,
        }
        if card is not None:
            cart["cardId"] = self.town.names.cards[card]
        return cart

    async def sell(self, *prices: int, order_no: str, **more: Any) -> Any:
        """The answer of a checkout of these prices."""
        return await self.change("checkout", cart=self.cart(*prices, **more), orderNo=order_no)

    async def hold(self, cart: dict[str, Any], request_id: str | None = None) -> Any:
        """The answer of holding the cart as it is quoted now."""
        quote = await self.ask("quote", {"cart": cart})
        return await self.change(
            "holdCheckout", request_id, cart=cart, quoteVersion=quote["version"]
        )
