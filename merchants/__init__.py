"""One merchant schema, many backends."""
