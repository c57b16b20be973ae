"""Benchmarks: each prints a ratio to a yardstick measured in the same run."""
