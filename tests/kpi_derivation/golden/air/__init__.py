"""Tests of air quality and noise."""
