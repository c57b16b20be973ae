"""Wallets that become one with others, or end."""
