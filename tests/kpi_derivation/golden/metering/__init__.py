"""Tests of meters and their registers."""
