"""What the ledger decides: pure rules over plain values."""
