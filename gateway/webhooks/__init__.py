"""Posts signed messages to where the operator wants them."""
