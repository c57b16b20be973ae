"""The functions that fill the ledger's GraphQL types: each reads its context and returns."""
