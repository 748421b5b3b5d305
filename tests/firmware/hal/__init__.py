"""Tests of boards and of faults on them."""
