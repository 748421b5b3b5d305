"""Tests of boards and what goes wrong on them."""
