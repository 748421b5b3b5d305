"""The node firmware, on real MicroPython."""
