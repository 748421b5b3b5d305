"""Tests of commands, configuration and updates from afar."""
