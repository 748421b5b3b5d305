"""Tests of the city file and the configuration."""
