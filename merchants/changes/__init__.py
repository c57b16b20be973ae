"""Changes that clients ask of a merchant: one answer per request id."""
