"""Clearing periods: closed, frozen, shown."""
