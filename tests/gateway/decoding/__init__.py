"""Tests of templates and codecs."""
