"""The ledger's GraphQL types."""
