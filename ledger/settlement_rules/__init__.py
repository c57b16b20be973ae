"""Settlement rules: how they are proposed, kept, and tried on history."""
