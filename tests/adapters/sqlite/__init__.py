"""Tests of the SQLite files: the buffer's promises against plain dictionaries and queries of the test's own."""
