"""Where members stand in ladders of tiers over time: evaluations, growth, paid memberships."""
