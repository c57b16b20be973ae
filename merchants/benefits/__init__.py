"""Benefits of tiers and paid memberships: what they promise, and what they do to a price."""
