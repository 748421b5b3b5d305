"""Load on real processes: `python -m tests.load crowd` and `python -m tests.load sustained`."""
