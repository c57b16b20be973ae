"""Sells a cart: one commit point at the merchant's backend, every other step idempotent."""
