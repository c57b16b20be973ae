"""Cards that become one with others, and what comes late about them."""
