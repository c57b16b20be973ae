"""Who asks, and what they may ask: tokens, keys, scopes."""
