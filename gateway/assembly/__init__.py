"""Puts databases, subgraphs and the engine together."""
