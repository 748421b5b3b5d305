"""Recorded data of real cities through the real command line, against the expected numbers."""
