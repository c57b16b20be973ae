"""The operations of a coupon replay that no other feed sends."""

from __future__ import annotations

_DECISIONS = "decisions { id outcome reason amount { amountMinor } }"

QUOTE = f"""query Quote($cart: CartInput!) {{
  quote(cart: $cart) {{
    __typename
    ... on Quote {{ version {_DECISIONS} }}
    ... on Refusal {{ code message retryable }}
  }}
}}"""

CHECKOUT = f"""mutation Checkout($input: CheckoutInput!) {{
  checkout(input: $input) {{
    __typename
    ... on CheckoutCaptured {{ order {{ id payable {{ amountMinor }} {_DECISIONS} }} }}
    ... on Refusal {{ code message retryable }}
  }}
}}"""
