"""What became of cards: merged into others, or of members that were erased."""
