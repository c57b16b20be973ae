"""What the books ask of a database, and the databases that answer."""
