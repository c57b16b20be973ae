"""Wallets that become one with others, and come apart again."""
