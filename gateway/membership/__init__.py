"""Members, how they are recognised, their one card, and the merchants they joined."""
