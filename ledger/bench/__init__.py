"""Measures the ledger beside yardsticks of the same run; `alliance bench ledger`."""
