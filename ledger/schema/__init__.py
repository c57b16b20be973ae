"""The ledger's GraphQL types."""

# Its resolvers need it, and it needs them: whoever comes first, the type goes before.
import ledger.schema.settlement_rules  # noqa: F401
