"""Books what was decided: one batch of a lane at a time."""
