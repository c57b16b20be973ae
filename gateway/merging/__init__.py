"""Two members become one: preview, the saga and its states, and undoing it."""
