"""Which merchants and stores exist, and how each merchant's backend is reached."""
