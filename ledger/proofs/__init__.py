"""Proves the whole book: the chain, the invariants, the recount."""
