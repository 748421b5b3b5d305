"""Recorded and simulated history through the same code as live data."""
