"""Tells another system what happened in the books: at least once, each card's events in order."""
