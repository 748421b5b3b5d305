"""Tests of setting up a node without a cable."""
