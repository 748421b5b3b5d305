"""Tests of payload formats."""
