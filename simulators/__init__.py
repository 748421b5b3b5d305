"""Simulators: recorded and synthetic feeds, virtual hardware."""
