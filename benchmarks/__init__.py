"""Measures this scheduler beside its peers and beside what the database allows; `python -m benchmarks`."""
