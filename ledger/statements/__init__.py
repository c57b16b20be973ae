"""What becomes of a statement once its period is closed: confirmed or disputed, then paid."""
