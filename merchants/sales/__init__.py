"""Orders and refunds as one merchant books them, and what it tells others of them."""
