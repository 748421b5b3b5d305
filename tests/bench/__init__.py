"""Benchmarks: `make bench` prints a table and writes build/bench.json. Nothing here asserts a time.

Machines are shared and noisy: compare figures of one run with each other, not with those of another day.
"""
