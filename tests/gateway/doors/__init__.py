"""Tests of doors, with real clients and wires."""
