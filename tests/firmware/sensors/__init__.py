"""Tests of drivers and the buses they read."""
