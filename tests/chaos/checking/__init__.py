"""The plain batch computation and the comparison of a run with it."""
