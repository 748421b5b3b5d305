"""Chaos: everything fails in turn; afterwards every reading is in the store exactly once. See docs/reliability.md."""
